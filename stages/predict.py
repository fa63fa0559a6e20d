"""Predict with one trained model on its held-out fold and the eval part. Run: python -m stages.predict MODEL FOLD|refit

Reads   models/<model>/<fold>/ or models/refit/<model>/, data/faces/, data/folds.csv, data/photos.csv, predict.<model>
Writes  data/predictions/<model>/<fold>.parquet   photo, and p0, p1, ... of its classes; the held-out
                                                  fold and eval part, or for refit the eval part alone

Test-time augmentation: the probabilities are the mean over the views of predict.<model>: the photo itself; with `flip`
also its mirror image; with `random`, as R4 did for age, also `random_views` views by the augmentations of training.
"""
from math import prod
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from stages.core.command_line import arguments, run
from stages.core.device import pick_device
from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.core.files import read_csv, write_parquet
from stages.core.params import Params, read_model
from stages.engine.cluster import on_cluster, spread, workers_beside
from stages.modeling.augment import Augment, at_test
from stages.modeling.checkpoints import restore
from stages.modeling.dataloader import Crops, loader
from stages.modeling.multitask import class_logs
from stages.modeling.trainer import predict_logits

FACES = Path("data/faces")
PART = 16  # batches that a node of a cluster is given at once


def unseen(faces: Faces, fold: str) -> list[int]:
    """Rows in data/faces of the held-out fold (none for "refit") and of the eval part."""
    photos = read_csv("data/photos.csv", ["photo", "person", "part"])
    folds = read_csv("data/folds.csv", ["person", "fold"])
    held_out = photos.person.isin(folds.person[folds.fold == fold]) & (photos.part == "train")
    wanted = set(photos.photo[held_out | (photos.part == "eval")])
    return [row for row, photo in enumerate(faces.photos) if photo in wanted]


def probabilities(name: str, folder: Path, faces: Faces, rows: list[int], p: Params, device: torch.device) -> pd.DataFrame:
    """photo, p0, p1, ... of rows of the crops by the network in `folder`, the mean over the views of predict.<name>.

    Raises UserError where one is NaN.
    """
    network, settings = restore(folder, faces)
    size, heads = faces.size_at(settings["image_size"]), settings["heads"]
    network.to(device, memory_format=torch.channels_last)

    def look(names: list[str], view: int = 0, flip: bool = False):
        """Probabilities (N, C) of one view: photos augmented by `names`, with the random draws of that view, or mirrored."""
        crops = Crops(faces, rows, size, Augment(names, settings["augment_options"]) if names else None, settings["seed"])
        batches = loader(crops, p.machine.batch, p.machine.workers, device)
        batches.sampler.epoch = view
        return class_logs(predict_logits(network, batches, device, flip), heads).exp()

    columns = [f"p{i}" for i in range(prod(heads))]
    if not rows:
        return pd.DataFrame(np.zeros((0, len(columns)), np.float32), columns=columns).assign(photo="")[["photo", *columns]]
    asked, always = p.predict[name], at_test(settings["augment"])
    views = [look(always)]
    if asked.views == "flip":
        views.append(look(always, flip=True))
    if asked.views == "random":
        views += [look(settings["augment"], view) for view in range(1, asked.random_views + 1)]
    table = pd.DataFrame(torch.stack(views).mean(0).numpy(), columns=columns)
    table.insert(0, "photo", [faces.photos[row] for row in rows])
    if (invalid := table.isna().any(axis=1)).any():
        raise UserError(f"{folder}: the probabilities of {invalid.sum()} photos, such as {table.photo[invalid].iloc[0]}, are "
                        "NaN; train it again")
    return table


def folder_of(name: str, fold: int | str) -> Path:
    """The folder of the model of a fold, or of the refitted one for "refit"."""
    return Path("models/refit", name) if fold == "refit" else Path("models", name, str(fold))


def predict_part(name: str, folder: Path, rows: list[int], p: Params) -> pd.DataFrame:
    """As probabilities, by this process."""
    return probabilities(name, folder, Faces(FACES), rows, p, pick_device(p.machine))


def predict_on_node(name: str, folder: Path, rows: list[int], p: Params) -> pd.DataFrame:
    """As predict_part, with no more processes beside it than its part of the node has cores for."""
    workers = workers_beside(pick_device(p.machine).type, p.machine)
    return predict_part(name, folder, rows, p.model_copy(update={"machine": p.machine.model_copy(update={"workers": workers})}))


def on_cluster_nodes(name: str, folder: Path, rows: list[int], p: Params) -> pd.DataFrame:
    """As probabilities, by the nodes of a cluster: whole batches, so that each is the one that a single process has."""
    size = PART * p.machine.batch
    parts = [(name, folder, rows[i:i + size], p) for i in range(0, max(1, len(rows)), size)]
    return pd.concat(spread("stages.predict.predict_on_node", parts, p.machine, torch.get_num_threads()), ignore_index=True)


def main():
    name, fold = arguments("MODEL", "FOLD")
    params, _ = read_model(name)
    predict = on_cluster_nodes if on_cluster(params.machine) else predict_part
    table = predict(name, folder_of(name, fold), unseen(Faces(FACES), fold), params)
    write_parquet(table, f"data/predictions/{name}/{fold}.parquet")
    print(f"{name}, fold {fold}: {len(table)} photos, views: {params.predict[name].views}")


if __name__ == "__main__":
    run(main)
