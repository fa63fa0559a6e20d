"""Crop the faces, once for all epochs and models. Run: python -m stages.crop

Reads   data/boxes.csv and the photos (data/photos.csv is a dep for its hashes: a changed photo reruns this stage)
Writes  data/faces/        the crops, memory-mapped; see stages/core/face_store.py
"""
from pathlib import Path

import cv2
import numpy as np

from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.face_store import write_faces
from stages.core.files import read_csv
from stages.core.params import Crop, read_params
from stages.core.progress import progress
from stages.faces.boxes import cut_box, middle_box
from stages.faces.decoding import read_or_reason
from stages.faces.prefetch import prefetch


def cut_face(photo: np.ndarray, box, p: Crop) -> np.ndarray:
    """The crop, at crop.height and crop.aspect. photo: (H, W, 3) uint8, RGB; box: (x0, y0, x1, y1) of its face.

    Pixels outside the photo repeat its edge. crop.method `center` uses the middle of the photo as the face, `photo` all of it.
    """
    height, width, _ = photo.shape
    shape = crop_shape(p)
    if p.method == "photo":
        region = 0, 0, width, height
    else:
        region = cut_box(middle_box(width, height) if p.method == "center" else box, p.margin, p.aspect)
    x0, y0, x1, y1 = region
    columns = np.clip(np.arange(x0, x1), 0, width - 1)
    rows = np.clip(np.arange(y0, y1), 0, height - 1)
    cut = photo[rows[:, None], columns]
    smaller = cut.shape[0] >= shape[0]
    return cv2.resize(cut, shape[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def crop_shape(p: Crop) -> tuple[int, int]:
    """Height and width of a crop, in pixels."""
    return p.height, max(1, round(p.height * p.aspect))


def crops(root: Path, boxes, p: Crop, workers: int):
    """Yield the crop of each row of boxes; `workers` threads read the photos and crop."""
    def cut(row):
        photo = read_or_reason(root / row.photo)
        if isinstance(photo, str):
            raise UserError(f"{root / row.photo}: changed since its face was found ({photo}); run dvc repro again")
        return cut_face(photo, [int(side) for side in (row.x0, row.y0, row.x1, row.y1)], p)

    yield from progress(prefetch(cut, boxes.itertuples(), workers), "cutting", len(boxes))


def main():
    p = read_params()
    boxes = read_csv("data/boxes.csv", ["photo", "found", "x0", "y0", "x1", "y1"])
    boxes = boxes[boxes.found != "unreadable"]
    write_faces(Path("data/faces"), list(boxes.photo), crops(Path(p.data.root), boxes, p.crop, p.machine.workers),
                crop_shape(p.crop))
    print(f"{len(boxes)} crops of {'x'.join(map(str, crop_shape(p.crop)[::-1]))} pixels")


if __name__ == "__main__":
    run(main, words=False)
