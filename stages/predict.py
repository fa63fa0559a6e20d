"""Probabilities of one trained model for whoever it has not seen. Run: python -m stages.predict MODEL FOLD|refit

Reads   models/<model>/<fold>/ or models/refit/<model>/, data/faces/, data/folds.csv, data/photos.csv, predict.<model>
Writes  data/predictions/<model>/<fold>.parquet   photo and p0, p1, ..., the classes of its attribute, or the 18: of the
                                                  held-out fold and the eval part; of the eval part alone for refit

Probabilities are the mean over the views that predict.<model> asks for: the photo itself; `flip`, its mirror image, too;
`random`, as R4 did for age, `random_views` more by the augmentations that the model was trained with.
"""
import sys
from math import prod
from pathlib import Path

import pandas as pd
import torch

from stages.lib.augment import Augment
from stages.lib.augment_names import at_test
from stages.lib.batches import Crops, loader
from stages.lib.device import pick_device
from stages.lib.engine import predict_logits
from stages.lib.errors import run
from stages.lib.facefile import Faces
from stages.lib.files import read_csv, write_parquet
from stages.lib.heads import class_logs
from stages.lib.params import read_model
from stages.lib.restored import restore


def unseen(faces: Faces, fold: str) -> list[int]:
    """Rows of the photos of the held-out fold, which is nobody for "refit", and of the eval part."""
    photos = read_csv("data/photos.csv", ["photo", "person", "part"])
    folds = read_csv("data/folds.csv", ["person", "fold"])
    held_out = photos.person.isin(folds.person[folds.fold == fold]) & (photos.part == "train")
    wanted = set(photos.photo[held_out | (photos.part == "eval")])
    return [row for row, photo in enumerate(faces.photos) if photo in wanted]


def main():
    name, fold = sys.argv[1:]
    params, _ = read_model(name)
    device, machine = pick_device(params.machine.device), params.machine
    faces = Faces(Path("data/faces"))
    network, settings = restore(Path("models/refit", name) if fold == "refit" else Path("models", name, fold), faces)
    rows, size, heads = unseen(faces, fold), faces.size_at(settings["image_size"]), settings["heads"]
    network.to(device, memory_format=torch.channels_last)

    def look(names: list[str], view: int = 0, flip: bool = False):
        """Probabilities (N, C) of one view: photos augmented by `names` with the draws of that view, or mirrored."""
        crops = Crops(faces, rows, size, Augment(names) if names else None, settings["seed"])
        batches = loader(crops, machine.batch, machine.workers, device)
        batches.sampler.epoch = view
        return class_logs(predict_logits(network, batches, device, flip), heads).exp()

    asked, always = params.predict[name], at_test(settings["augment"])
    views = [look(always)]
    if asked.views == "flip":
        views.append(look(always, flip=True))
    if asked.views == "random":
        views += [look(settings["augment"], view) for view in range(1, asked.random_views + 1)]
    chances = pd.DataFrame(torch.stack(views).mean(0).numpy(), columns=[f"p{i}" for i in range(prod(heads))])
    chances.insert(0, "photo", [faces.photos[row] for row in rows])
    write_parquet(chances, f"data/predictions/{name}/{fold}.parquet")
    print(f"{name}, fold {fold}: {len(rows)} photos, {len(views)} views each")


if __name__ == "__main__":
    run(main)
