"""Crop the faces, once for all epochs and models. Run: python -m stages.crop

Reads   data/boxes.csv and the photos (data/photos.csv is a dep for its hashes: a changed photo reruns this stage)
Writes  data/faces/        the crops, memory-mapped; see stages/core/face_store.py
"""
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pandas as pd

from labeller.faces.crop import crop_shape, cut_face
from labeller.faces.prefetch import prefetch
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.face_store import write_faces
from stages.core.files import read_csv
from stages.core.params import Crop, Params, read_params
from stages.core.progress import progress
from stages.engine.cluster import on_cluster, spread
from stages.shards.photos import read_or_reason

PART = 64  # photos that a node of a cluster is given at once


def cut(photo: Path, box: list[int], p: Crop) -> np.ndarray:
    """The crop of a photo, (H, W, 3) uint8; box: x0, y0, x1, y1 in pixels."""
    pixels = read_or_reason(photo)
    if isinstance(pixels, str):
        raise UserError(f"{photo}: changed since its face was found ({pixels}); run dvc repro again")
    return cut_face(pixels, box, p)


def cut_part(photos: list[tuple[Path, list[int]]], p: Crop) -> np.ndarray:
    """The crops of some photos, (N, H, W, 3) uint8, by a worker of a cluster."""
    return np.stack([cut(photo, box, p) for photo, box in photos])


def crops(root: Path, boxes: pd.DataFrame, p: Params):
    """Yield the crop of each row of boxes; threads, or the nodes of a cluster, read the photos and crop."""
    photos = ((root / row.photo, [int(side) for side in (row.x0, row.y0, row.x1, row.y1)]) for row in boxes.itertuples())
    if on_cluster(p.machine):
        parts = [(part, p.crop) for part in iter(lambda: list(islice(photos, PART)), [])]
        found = chain.from_iterable(spread("stages.crop.cut_part", parts, p.machine))
    else:
        found = prefetch(lambda photo: cut(*photo, p.crop), photos, p.machine.workers)
    yield from progress(found, "cutting", len(boxes))


def main():
    p = read_params()
    boxes = read_csv("data/boxes.csv", ["photo", "found", "x0", "y0", "x1", "y1"])
    boxes = boxes[boxes.found != "unreadable"]
    write_faces(Path("data/faces"), list(boxes.photo), crops(Path(p.data.root), boxes, p), crop_shape(p.crop))
    print(f"{len(boxes)} crops of {'x'.join(map(str, crop_shape(p.crop)[::-1]))} pixels")


if __name__ == "__main__":
    run(main, words=False)
