"""Crop the faces, once for all epochs and models. Run: python -m stages.crop

Reads   data/boxes.csv and the photos (data/photos.csv is a dep for its hashes: a changed photo reruns this stage)
Writes  data/faces/        the crops, memory-mapped; see stages/core/face_store.py
"""
from pathlib import Path

from labeller.faces.crop import crop_shape, cut_face
from labeller.faces.prefetch import prefetch
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.face_store import write_faces
from stages.core.files import read_csv
from stages.core.params import Crop, read_params
from stages.core.progress import progress
from stages.shards.photos import read_or_reason


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
