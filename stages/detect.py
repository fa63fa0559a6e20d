"""Detect the main face in every photo, on the GPU if there is one. Run: python -m stages.detect

Reads   data/photos.csv and the photos themselves; data/.resume, where stages/resume/found.py notes the faces it found
Writes  data/boxes.csv       photo,found,x0,y0,x1,y1,score,faces  a row a photo; box in whole pixels, and x and y of five
                             left_eye_x,left_eye_y,...            landmarks, left as it is in the photo
        data/unreadable.csv  photo,part,reason                    photos that cannot be decoded

found is `mtcnn` if MTCNN is sure of the face (score: O-Net's probability); `lenient` if the second look of
labeller/faces/second_look.py found it (score: its evidence); `padded` if the look at the padded photo did, of
labeller/faces/padded_look.py (score: its evidence); `center` if none did, with a box in the photo's middle and no landmarks;
or `unreadable`, without a box. Of several faces, which `faces` counts, labeller/faces/selection.py selects one.
"""
import threading
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from functools import cache
from itertools import chain
from pathlib import Path

import pandas as pd
import torch

from labeller.faces.decoding import GONE
from labeller.faces.detector import COLUMNS, POINTS, find_faces
from labeller.faces.prefetch import prefetch
from stages.core.command_line import run
from stages.core.device import pick_device
from stages.core.errors import UserError
from stages.core.files import read_csv, write_csv
from stages.core.params import Detect, Machine, read_params
from stages.core.progress import progress
from stages.engine.cluster import has_gpus, on_cluster, spread, workers_beside
from stages.faces.mtcnn import CONTEST_PIXELS, Cascade
from stages.resume.found import Found
from stages.resume.key import key_of
from stages.shards.photos import read_or_reason, read_photos

PART = 4  # batches that a node of a cluster is given at once


def batches(images, size: int):
    """Yield batches: lists of at most `size` images, closed once they have the pixels of `size` contest photos.

    So a batch of large photos takes hardly more memory than one of small ones.
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
    """COLUMNS and reason of each image, which is (H, W, 3) uint8, RGB, or the reason why it cannot be decoded."""
    found = iter(find_faces([image for image in images if not isinstance(image, str)], cascade, p))
    unreadable = ["unreadable", *[""] * 5, 0, *[""] * len(POINTS)]
    return [(*unreadable, image) if isinstance(image, str) else (*next(found), "")
            for image in images]


def rows_one_by_one(photos: Iterable[tuple[Path, str]], cascade: Cascade, p: Detect, workers: int):
    """Yield the row of each photo; a thread both decodes a photo and detects its face, which keeps all cores busy."""
    def row(photo):
        torch.set_num_threads(1)
        return rows_of([read_or_reason(*photo)], cascade, p)[0]

    threads = torch.get_num_threads()
    try:
        yield from prefetch(row, photos, workers)
    finally:
        torch.set_num_threads(threads)  # without workers row() set this thread's to one


def rows_in_batches(photos: Iterable[tuple[Path, str]], cascade: Cascade, p: Detect, workers: int, batch: int):
    """Yield the row of each photo; `workers` threads decode, and two, each with its own stream, keep the GPU busy."""
    own = threading.local()

    def rows(images):
        if cascade.device.type == "cuda" and not hasattr(own, "stream"):
            own.stream = torch.cuda.Stream(cascade.device)
        with torch.cuda.stream(own.stream) if hasattr(own, "stream") else nullcontext():
            return rows_of(images, cascade, p)

    for found in prefetch(rows, batches(read_photos(photos, workers), batch), 2, each=1):
        yield from found


def find(photos: Iterable[tuple[Path, str]], cascade: Cascade, p: Detect, workers: int, batch: int):
    """Yield the row of each photo, in order. photos: path and MD5, as in photos.csv, or "" for any bytes."""
    if cascade.alone:
        return rows_one_by_one(photos, cascade, p, workers)
    return rows_in_batches(photos, cascade, p, workers, batch)


@cache
def loaded(device: torch.device) -> Cascade:
    """The cascade of a worker, which finds faces in many parts."""
    return Cascade(device)


def find_part(photos: list[tuple[Path, str]], p: Detect, machine: Machine) -> list[tuple]:
    """The rows of some photos, by a worker of a cluster; where it has a GPU, threads decode beside it."""
    cascade = loaded(pick_device(machine))
    return list(find(photos, cascade, p, workers_beside(cascade.device.type, machine), machine.batch))


def kind_of(device: torch.device | str, machine: Machine) -> tuple:
    """What a row depends on of the device that finds it."""
    if "cuda" not in str(device):
        return "cpu", torch.backends.cpu.get_cpu_capability()
    name = torch.cuda.get_device_name(device) if isinstance(device, torch.device) else "of a cluster"
    return "cuda", name, machine.deterministic


def find_on_cluster(photos: list[tuple[Path, str]], p: Detect, machine: Machine):
    """Yield the row of each photo, in order, found by the nodes of a cluster, PART batches at once."""
    parts = [photos[i:i + PART * machine.batch] for i in range(0, len(photos), PART * machine.batch)]
    found = spread("stages.detect.find_part", [(part, p, machine) for part in parts], machine)
    for (path, _), row in zip(photos, chain.from_iterable(found)):
        if row[0] == "unreadable" and row[-1] == GONE and path.exists():
            raise UserError(f"machine.engine: ray: a node does not see {path}, which is here; all need the photos under one "
                            "path")
        yield row


def detect(photos: pd.DataFrame, root: Path, p: Detect, device, workers: int, batch: int) -> pd.DataFrame:
    """As table_of, of faces that this process finds. photos: photo, part and md5."""
    return table_of(photos, root, find(named(photos, root), Cascade(device), p, workers, batch), p)


def named(photos: pd.DataFrame, root: Path) -> Iterator[tuple[Path, str]]:
    """Path and MD5 of each photo, one after another: a million of them take a gigabyte."""
    return ((root / photo, md5) for photo, md5 in zip(photos.photo, photos.md5))


def table_of(photos: pd.DataFrame, root: Path, found: Iterable[tuple], p: Detect) -> pd.DataFrame:
    """The columns of boxes.csv, part, and reason (empty for a readable photo). photos: photo, part; found: their rows.

    Raises UserError if more than `max_bad` photos of the training part cannot be decoded.
    """
    rows, bad = [], 0
    for photo, row in zip(photos.itertuples(), progress(found, "finding faces", len(photos))):
        rows.append((photo.photo, photo.part, *row))
        bad += row[0] == "unreadable" and photo.part == "train"
        if bad > p.max_bad:
            raise UserError(f"{bad} photos to train on cannot be decoded, the last: {root / photo.photo}"
                            f"; mend them, or raise detect.max_bad, {p.max_bad}, in params.yaml")
    return pd.DataFrame(rows, columns=["photo", "part", *COLUMNS, "reason"])


def main():
    p = read_params()
    photos, root = read_csv("data/photos.csv", ["photo", "part", "md5"]), Path(p.data.root)
    if on_cluster(p.machine):
        device = "cuda" if has_gpus(p.machine) else "cpu"  # of the nodes
    else:
        device = pick_device(p.machine)
    before = Found(key_of(Path(__file__).read_bytes(), p.detect, *kind_of(device, p.machine)))
    new = photos[[md5 not in before.rows for md5 in photos.md5]]
    if len(new) < len(photos):
        print(f"{len(photos) - len(new)} of {len(photos)} photos have their faces from an earlier run, in {before.file}",
              flush=True)
    fresh = (find_on_cluster(list(named(new, root)), p.detect, p.machine) if on_cluster(p.machine) else
             find(named(new, root), Cascade(device), p.detect, p.machine.workers, p.machine.batch))
    boxes = table_of(photos, root, before.together(photos.md5, fresh), p.detect)
    unreadable = boxes[boxes.found == "unreadable"]
    write_csv(boxes.drop(columns=["part", "reason"]), "data/boxes.csv")
    write_csv(unreadable[["photo", "part", "reason"]], "data/unreadable.csv")
    print(f"{len(boxes)} photos:", ", ".join(f"{n} {how}" for how, n in boxes.found.value_counts().items()))
    for row in unreadable.itertuples():
        print(f"  cannot be decoded: {row.photo} ({row.reason})")


if __name__ == "__main__":
    run(main, words=False)
