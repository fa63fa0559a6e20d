"""Probabilities of one trained model for whoever it has not seen. Run: python -m stages.predict MODEL FOLD

Reads   models/<model>/<fold>/, data/faces/, data/folds.csv, data/photos.csv, predict.<model>
Writes  data/predictions/<model>/<fold>.parquet   photo and p0, p1, ...: the held-out fold and the eval part
"""
import sys
from pathlib import Path

import pandas as pd
import torch

from stages.lib.batches import Crops, loader
from stages.lib.checkpoints import load_model
from stages.lib.device import pick_device
from stages.lib.engine import predict_logits
from stages.lib.errors import run
from stages.lib.facefile import Faces
from stages.lib.files import read_csv, write_parquet
from stages.lib.networks import make_network
from stages.lib.params import read_model

FLIPS = {"none": [False], "flip": [False, True]}  # the views of each photo at test time


def unseen(faces: Faces, fold: int) -> list[int]:
    """Rows of the photos of the held-out fold and of the eval part."""
    photos = read_csv("data/photos.csv", ["photo", "person", "part"])
    folds = read_csv("data/folds.csv", ["person", "fold"])
    held_out = photos.person.isin(folds.person[folds.fold.astype(int) == fold]) & (photos.part == "train")
    wanted = set(photos.photo[held_out | (photos.part == "eval")])
    return [row for row, photo in enumerate(faces.photos) if photo in wanted]


def main():
    name, fold = sys.argv[1], int(sys.argv[2])
    params, _ = read_model(name)
    device, machine = pick_device(params.machine.device), params.machine
    state, settings = load_model(Path("models", name, str(fold)))
    faces = Faces(Path("data/faces"))
    rows = unseen(faces, fold)
    size = faces.size_at(settings["image_size"])

    network = make_network(settings["backbone"], settings["classes"], size)
    network.load_state_dict(state)
    network.to(device, memory_format=torch.channels_last)
    batches = loader(Crops(faces, rows, size), machine.batch, machine.workers, device)
    views = [predict_logits(network, batches, device, flip).softmax(1) for flip in FLIPS[params.predict[name].views]]
    chances = pd.DataFrame(torch.stack(views).mean(0).numpy(), columns=[f"p{i}" for i in range(settings["classes"])])
    chances.insert(0, "photo", [faces.photos[row] for row in rows])
    write_parquet(chances, f"data/predictions/{name}/{fold}.parquet")
    print(f"{name}, fold {fold}: {len(rows)} photos, {len(views)} views each")


if __name__ == "__main__":
    run(main)
