"""Crop the faces, once for all epochs and models. Run: python -m stages.crop

Reads   data/boxes.csv, data/photos.csv and the photos; data/.resume, where stages/resume/kept_crops.py keeps what it cut
Writes  data/faces/        the crops, memory-mapped, in parts; see stages/core/face_store.py
"""
import hashlib
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pandas as pd

from labeller.faces.crop import crop_shape, cut_face
from labeller.faces.prefetch import prefetch
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.face_store import TABLE, part_name, parts_of, write_table
from stages.core.files import read_csv
from stages.core.params import Crop, Params, read_params
from stages.core.progress import progress
from stages.engine.cluster import on_cluster, spread
from stages.resume.kept_crops import KeptCrops, place, sha256_in
from stages.resume.key import key_of
from stages.shards.photos import AGAIN, read_or_reason

FACES = Path("data/faces")
BOX = ["x0", "y0", "x1", "y1"]
PART = 64  # photos that a node of a cluster is given at once


def cut(photo: Path, md5: str, box: list[int], p: Crop) -> np.ndarray:
    """The crop of a photo, (H, W, 3) uint8; md5: of its bytes; box: x0, y0, x1, y1 in pixels."""
    pixels = read_or_reason(photo, md5)
    if isinstance(pixels, str):
        raise UserError(f"{photo}: changed since its face was found ({pixels}); {AGAIN}")
    return cut_face(pixels, box, p)


def cut_part(photos: list[tuple[Path, str, list[int]]], p: Crop) -> np.ndarray:
    """The crops of some photos, (N, H, W, 3) uint8, by a worker of a cluster."""
    return np.stack([cut(*photo, p) for photo in photos])


def crops(root: Path, boxes: pd.DataFrame, p: Params) -> Iterator[np.ndarray]:
    """Yield the crop of each row of boxes; threads, or the nodes of a cluster, read the photos and crop."""
    photos = ((root / photo, md5, list(map(int, box))) for photo, md5, *box in
              boxes[["photo", "md5", *BOX]].itertuples(index=False, name=None))
    if on_cluster(p.machine):
        parts = [(part, p.crop) for part in iter(lambda: list(islice(photos, PART)), [])]
        found = chain.from_iterable(spread("stages.crop.cut_part", parts, p.machine))
    else:
        found = prefetch(lambda photo: cut(*photo, p.crop), photos, p.machine.workers)
    yield from progress(found, "cutting", len(boxes))


def write(boxes: pd.DataFrame, p: Params) -> None:
    """Write data/faces: the parts that an earlier run cut, and the others anew. boxes: photo, md5, x0, y0, x1, y1."""
    photos, shape = list(boxes.photo), crop_shape(p.crop)
    parts = [boxes[rows] for rows in parts_of(photos)]
    files = [FACES / part_name(number) for number in range(len(parts))]
    base = key_of(Path(__file__).read_bytes(), p.crop)
    keys = [hashlib.sha256((base + part[["md5", *BOX]].to_csv(index=False)).encode()).hexdigest()[:16] for part in parts]
    kept = KeptCrops(set(keys))
    found = list(map(kept.find, progress(keys, "checking crops of an earlier run", unit="part", summary=False)))
    new = [part for part, file in zip(parts, found) if file is None]
    if len(new) < len(parts):
        known = len(boxes) - sum(map(len, new))
        print(f"{known} of {len(boxes)} photos have their crops from an earlier run, in {kept.folder}", flush=True)
    fresh = crops(Path(p.data.root), pd.concat(new), p) if new else iter(())
    found = [file or kept.add(key, islice(fresh, len(part)), (len(part), *shape))
             for key, part, file in zip(keys, parts, found)]
    next(fresh, None)  # says the rate
    (FACES / TABLE).unlink(missing_ok=True)  # without it old and new parts are no store
    for old in set(FACES.glob("*.npy")) - set(files):
        old.unlink()
    for file, part in zip(found, files):
        place(file, part)
    write_table(FACES, photos, list(map(sha256_in, found)), shape)


def main():
    p = read_params()
    boxes = read_csv("data/boxes.csv", ["photo", "found", *BOX])
    md5s = read_csv("data/photos.csv", ["photo", "md5"]).set_index("photo").md5
    boxes = boxes[boxes.found != "unreadable"].assign(md5=lambda table: table.photo.map(md5s))
    write(boxes, p)
    print(f"{len(boxes)} crops of {'x'.join(map(str, crop_shape(p.crop)[::-1]))} pixels")


if __name__ == "__main__":
    run(main, words=False)
