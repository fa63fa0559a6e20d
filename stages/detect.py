"""Find the face in every photo, on the GPU where there is one. Run: python -m stages.detect

Reads   data/photos.csv and the photos themselves
Writes  data/boxes.csv     photo,found,x0,y0,x1,y1,score,faces    one row a photo; box in whole pixels
        data/unreadable.csv  photo,part,reason                    photos that cannot be decoded

found is `mtcnn`, where MTCNN is sure of the face (score: O-Net's chance); `lenient`, where the second look of
stages/lib/second_look.py found it (score: the evidence); `center`, the middle of the photo, where neither did; or
`unreadable`, without a box. Of several faces stages/lib/subject.py takes one, and `faces` says how many there were.
"""
from contextlib import nullcontext
from math import ceil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from stages.lib.ahead import ahead
from stages.lib.boxes import middle_box
from stages.lib.cascade import CONTEST_PIXELS, Cascade
from stages.lib.device import pick_device
from stages.lib.errors import UserError, run
from stages.lib.files import read_csv, write_csv
from stages.lib.params import Detect, read_params
from stages.lib.photos import read_or_reason, read_photos
from stages.lib.second_look import second_look
from stages.lib.subject import area, subject

LARGE = 4_000_000  # pixels; a larger photo is shrunk before faces are looked for
SMALLEST = 32  # faces narrower than this part of a photo (of its mean side) are not looked for, so that time is bounded
COLUMNS = ["found", "x0", "y0", "x1", "y1", "score", "faces"]


def by_size(photos: list[np.ndarray]) -> list[list[int]]:
    """Positions of the photos of each size, since a batch holds photos of one size."""
    groups: dict[tuple, list[int]] = {}
    for i, photo in enumerate(photos):
        groups.setdefault(photo.shape, []).append(i)
    return list(groups.values())


def find_faces(photos: list[np.ndarray], cascade: Cascade, p: Detect) -> list[tuple]:
    """photos: (H, W, 3) uint8, RGB, of any sizes. Returns of each what COLUMNS name."""
    rows: list = [None] * len(photos)
    for group in by_size(photos):
        height, width, _ = photos[group[0]].shape
        by = ceil((height * width / LARGE) ** 0.5)
        size = -(-width // by), -(-height // by)
        small = [cv2.resize(photos[i], size, interpolation=cv2.INTER_AREA) if by > 1 else photos[i] for i in group]
        for i, row in zip(group, find_in_batch(stacked(small, cascade.device), cascade, p, by)):
            rows[i] = row or ("center", *middle_box(width, height), "0.000", 0)
    return rows


def stacked(photos: list[np.ndarray], device: torch.device) -> torch.Tensor:
    """Photos of one size as a batch, in memory from which the GPU fetches by itself."""
    batch = torch.empty(len(photos), *photos[0].shape, dtype=torch.uint8, pin_memory=device.type == "cuda")
    for photo, place in zip(photos, batch.numpy()):
        place[:] = photo
    return batch


def find_in_batch(photos: torch.Tensor, cascade: Cascade, p: Detect, by: int) -> list[tuple | None]:
    """photos: (N, H, W, 3) uint8, RGB, shrunk `by` times. Returns a row of each, or None where there is no face."""
    _, height, width, _ = photos.shape
    smallest = [max(-(-face // by), int((height * width) ** 0.5 / SMALLEST)) for face in (p.min_face, p.lenient_min_face)]
    rows = [row_of("mtcnn", sure(faces, p, height * width), by) for faces in cascade(photos, smallest[0], p.thresholds)]
    left = [i for i, row in enumerate(rows) if row is None]
    if left and p.second_look:
        for i, faces in zip(left, second_look(photos[left], cascade, smallest[1], p.lenient_thresholds)):
            rows[i] = row_of("lenient", faces[faces[:, 4] >= p.lenient_evidence], by)
    return rows


def sure(faces: np.ndarray, p: Detect, pixels: int) -> np.ndarray:
    """MTCNN's faces (k, 16) that enough boxes agree on, if one of them is as large as the subject of a photo is."""
    if not p.second_look:
        return faces
    faces = faces[faces[:, 5] >= p.sure_votes]
    return faces if any(area(face) >= p.sure_share * pixels for face in faces) else faces[:0]


def row_of(found: str, faces: np.ndarray, by: int) -> tuple | None:
    """A row of boxes.csv, from `found` on, of the faces (k, 5 or more) of a photo shrunk `by` times."""
    face = subject(faces)
    return None if face is None else (found, *(round(float(v) * by) for v in face[:4]), f"{face[4]:.3f}", len(faces))


def batches(images, size: int):
    """Yield lists of images, of at most `size` and of no more pixels than `size` photos of the contest have.

    So a batch of large photos takes no more memory than one of small ones.
    """
    batch, pixels = [], 0
    for image in images:
        batch.append(image)
        pixels += 0 if isinstance(image, str) else image.shape[0] * image.shape[1]
        if len(batch) == size or pixels >= size * CONTEST_PIXELS:
            yield batch
            batch, pixels = [], 0
    if batch:
        yield batch


def rows_of(images: list, cascade: Cascade, p: Detect) -> list[tuple]:
    """A row and a reason of each image: (H, W, 3) uint8, RGB, or the reason why it cannot be decoded."""
    found = iter(find_faces([image for image in images if not isinstance(image, str)], cascade, p))
    return [("unreadable", "", "", "", "", "", 0, image) if isinstance(image, str) else (*next(found), "")
            for image in images]


def rows_one_by_one(paths: list[Path], cascade: Cascade, p: Detect, workers: int):
    """Yield a row of each photo; each thread decodes one and finds its face, so that all cores are busy throughout."""
    def row(path):
        torch.set_num_threads(1)
        return rows_of([read_or_reason(path)], cascade, p)[0]

    yield from ahead(row, paths, workers)


def rows_in_batches(paths: list[Path], cascade: Cascade, p: Detect, workers: int, batch: int):
    """Yield a row of each photo; `workers` threads decode, and two keep the GPU busy, each with a stream of its own."""
    def rows(images):
        on_gpu = cascade.device.type == "cuda"
        with torch.cuda.stream(torch.cuda.Stream(cascade.device)) if on_gpu else nullcontext():
            return rows_of(images, cascade, p)

    for part in ahead(rows, batches(read_photos(paths, workers), batch), 2, each=1):
        yield from part


def detect(photos: pd.DataFrame, root: Path, p: Detect, device, workers: int, batch: int) -> pd.DataFrame:
    """photos: a row a photo with photo and part. Returns boxes.csv plus a column `reason` for the unreadable ones."""
    cascade, paths = Cascade(device), [root / photo for photo in photos.photo]
    found = (rows_one_by_one(paths, cascade, p, workers) if cascade.alone else
             rows_in_batches(paths, cascade, p, workers, batch))
    bar = tqdm(found, "finding faces", len(paths), unit="photo", mininterval=1)
    rows, bad = [], 0
    for photo, row in zip(photos.itertuples(), bar):
        rows.append((photo.photo, photo.part, *row))
        bad += row[0] == "unreadable" and photo.part == "train"
        if bad > p.max_bad:
            raise UserError(f"{bad} photos to train on cannot be decoded, the last: {root / photo.photo}"
                            f"; mend them, or raise detect.max_bad, {p.max_bad}, in params.yaml")
    return pd.DataFrame(rows, columns=["photo", "part", *COLUMNS, "reason"])


def main():
    p = read_params()
    photos = read_csv("data/photos.csv", ["photo", "part"])
    boxes = detect(photos, Path(p.data.root), p.detect, pick_device(p.machine.device), p.machine.workers,
                   p.machine.batch)
    unreadable = boxes[boxes.found == "unreadable"]
    write_csv(boxes.drop(columns=["part", "reason"]), "data/boxes.csv")
    write_csv(unreadable[["photo", "part", "reason"]], "data/unreadable.csv")
    print(f"{len(boxes)} photos:", ", ".join(f"{n} {how}" for how, n in boxes.found.value_counts().items()))
    for row in unreadable.itertuples():
        print(f"  cannot be decoded: {row.photo} ({row.reason})")


if __name__ == "__main__":
    run(main)
