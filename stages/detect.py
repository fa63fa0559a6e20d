"""Find the face in every photo, on the GPU where there is one. Run: python -m stages.detect

Reads   data/photos.csv and the photos themselves
Writes  data/boxes.csv     photo,found,x0,y0,x1,y1,score,faces    one row a photo; box in whole pixels
        data/unreadable.csv  photo,part,reason                    photos that cannot be decoded

found is `mtcnn`; `lenient`, where only a second pass with lower thresholds found a face; `center`, the middle of the
photo, where that found none either; or `unreadable`, without a box. Of several faces the largest counts, and `faces`
says how many there were.
"""
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from stages.lib.boxes import middle_box
from stages.lib.cascade import Cascade
from stages.lib.device import pick_device
from stages.lib.errors import UserError, run
from stages.lib.files import read_csv, write_csv
from stages.lib.params import Detect, read_params
from stages.lib.photos import read_photos

CONTEST_PIXELS = 384 * 512


def by_size(photos: list[np.ndarray]) -> list[list[int]]:
    """Positions of the photos of each size, since a batch holds photos of one size."""
    groups: dict[tuple, list[int]] = {}
    for i, photo in enumerate(photos):
        groups.setdefault(photo.shape, []).append(i)
    return list(groups.values())


def largest(faces: np.ndarray, found: str) -> tuple:
    """One row of boxes.csv, from `found` on, of the faces (k, 5) of a photo."""
    x0, y0, x1, y1, score = max(faces, key=lambda f: (f[2] - f[0]) * (f[3] - f[1]))
    return found, *(round(float(v)) for v in (x0, y0, x1, y1)), f"{score:.3f}", len(faces)


def find_faces(photos: list[np.ndarray], cascade: Cascade, p: Detect) -> list[tuple]:
    """photos: (H, W, 3) uint8, RGB, of any sizes. Returns of each found, x0, y0, x1, y1, score, faces."""
    rows: list = [None] * len(photos)
    for group in by_size(photos):
        height, width, _ = photos[group[0]].shape
        for found, min_face, thresholds in (("mtcnn", p.min_face, p.thresholds),
                                            ("lenient", p.lenient_min_face, p.lenient_thresholds)):
            left = [i for i in group if rows[i] is None]
            if left:
                batch = torch.from_numpy(np.stack([photos[i] for i in left]))
                for i, faces in zip(left, cascade(batch, min_face, thresholds)):
                    rows[i] = largest(faces, found) if len(faces) else None
        for i in group:
            rows[i] = rows[i] or ("center", *middle_box(width, height), "0.000", 0)
    return rows


def batches(rows, images, size: int):
    """Yield lists of (row, image), of at most `size` photos and no more pixels than `size` photos of the contest have.

    So a batch of large photos takes no more memory than one of small ones.
    """
    batch, pixels = [], 0
    for row, image in zip(rows, images):
        batch.append((row, image))
        pixels += 0 if isinstance(image, str) else image.shape[0] * image.shape[1]
        if len(batch) == size or pixels >= size * CONTEST_PIXELS:
            yield batch
            batch, pixels = [], 0
    if batch:
        yield batch


def detect(photos: pd.DataFrame, root: Path, p: Detect, device, workers: int, batch: int) -> pd.DataFrame:
    """photos: a row a photo with photo and part. Returns boxes.csv plus a column `reason` for the unreadable ones."""
    cascade = Cascade(device)
    decoded = read_photos([root / photo for photo in photos.photo], workers)
    rows, bad = [], 0
    with tqdm(total=len(photos), desc="finding faces", unit="photo", mininterval=1) as bar:
        for pairs in batches(photos.itertuples(), decoded, batch):
            found = iter(find_faces([image for _, image in pairs if not isinstance(image, str)], cascade, p))
            for row, image in pairs:
                unreadable = isinstance(image, str)
                bad += unreadable and row.part == "train"
                box, reason = (("unreadable", "", "", "", "", "", 0), image) if unreadable else (next(found), "")
                rows.append((row.photo, row.part, *box, reason))
            if bad > p.max_bad:
                raise UserError(f"{bad} photos to train on cannot be decoded, the last: {root / rows[-1][0]}"
                                f"; mend them, or raise detect.max_bad, {p.max_bad}, in params.yaml")
            bar.update(len(pairs))
    return pd.DataFrame(rows, columns=["photo", "part", "found", "x0", "y0", "x1", "y1", "score", "faces", "reason"])


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
