"""Paint masks on photos of bare faces: a training set for a mask model. Run: python -m stages.paint

Reads   paint.source            photos in any layout (stages/readers/layouts.py)
Writes  data/painted/           a folder a person, and labels.csv: photo,person,mask,gender,age,part of every photo, and
                                wearing (well, under_nose, on_chin, hanging, none, or what covers a bare face), kind, source
        data/painted.jpg        a contact sheet

Bare photos to train on are painted; labelled masks and photos to label are copied. The same parameters and photos give the
same bytes for any number of processes.
"""
import shutil
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
import torch

from labeller.faces.detector import detect
from labeller.faces.selection import main_face
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.files import write_csv
from stages.core.params import PAINTED, Detect, Paint, Params, read_params
from stages.core.progress import progress
from stages.faces.mtcnn import Cascade
from stages.painting.contact_sheet import COLUMNS as SHEET_COLUMNS
from stages.painting.contact_sheet import ROWS, contact_sheet, tile
from stages.painting.distractors import paint_distractor
from stages.painting.masks import paint_mask
from stages.painting.naming import digest, name_of, suffix_of
from stages.painting.plan import in_view, paintings, rng_of, to_paint
from stages.painting.pose import Pose, fit, why_not
from stages.readers.layouts import read_photos
from stages.shards.members import in_shard, read_bytes
from stages.shards.photos import read_or_reason

OUT, SHEET = Path(PAINTED), Path(f"{PAINTED}.jpg")
MADE = ("worn", "incorrect", "bare")  # values of mask
MORE = ["part", "wearing", "kind", "source"]  # columns of labels.csv after photo, person and the attributes
SHOWN = 5  # photos on screen for each reason


class Row(NamedTuple):
    """A photo of the source, as stages/readers gives it; labels: of all attributes."""
    photo: str
    person: str
    part: str
    labels: dict[str, str]


class Done(NamedTuple):
    """What became of one photo of the source."""
    photo: str
    outcome: str                # painted, copied, left bare or not used
    reason: str                 # why it was not painted, or ""
    rows: list[dict]            # of labels.csv
    tile: np.ndarray | None     # for the contact sheet


@cache
def cascade() -> Cascade:
    """The face detector of this process, on the CPU: a GPU's boxes differ in their last digits."""
    return Cascade(torch.device("cpu"))


def write(data: bytes, folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def row_of(name: str, row: Row, **made: str) -> dict[str, str]:
    """The row of labels.csv of the photo called `name`, made of `row`."""
    return {"photo": name, "person": row.person, **row.labels, "part": row.part, "wearing": "", "kind": "",
            "source": row.photo} | made


def copy(row: Row, root: Path, folder: Path, why: str) -> Done:
    """Copy a photo byte for byte, with its labels."""
    data = read_bytes(root / row.photo) if in_shard(root / row.photo) else (root / row.photo).read_bytes()
    name = name_of(row.photo, row.person, "", suffix_of(data))
    write(data, folder, name)
    return Done(row.photo, "copied", why, [row_of(name, row)], None)


def face_of(photo: np.ndarray, p: Detect) -> tuple[np.ndarray | None, Pose | None, str]:
    """The main face (15,), its pose, and why it cannot be painted on, or ""."""
    face = main_face(detect([photo], cascade(), p)[0][1])
    if face is None:
        return None, None, "no face was found"
    pose = fit(face[5:].reshape(5, 2).astype(float))
    return face, pose, why_not(pose)


def make(photo: np.ndarray, pose: Pose | None, wearing: str, kind: str, rng: np.random.Generator) -> np.ndarray:
    """The photo with a mask of this kind worn so, or with what else covers the face; unchanged for "none"."""
    if wearing == "none":
        return photo
    return paint_mask(photo, pose, kind, wearing, rng) if kind else paint_distractor(photo, pose, wearing, rng)


def paint(root: Path, folder: Path, p: Paint, d: Detect, shown: frozenset, row: Row) -> Done:
    """Write all photos made of one bare photo; of one that cannot be painted on, its bare ones without anything."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    photo = read_or_reason(root / row.photo)
    if isinstance(photo, str):
        return Done(row.photo, "not used", f"cannot be decoded: {photo}", [], None)
    face, pose, reason = face_of(photo, d)
    wanted = [(mask, wearing if not reason else "none", kind) for mask, wearing, kind in paintings(row.photo, p, p.seed)
              if not reason or mask == "bare"]
    rows, pictures = [], []
    for number, (mask, wearing, kind) in enumerate(wanted, 1):
        wearing = wearing if reason else in_view(wearing, pose, photo.shape)
        made = make(photo, pose, wearing, kind, rng_of(p.seed, f"{row.photo} {number}"))
        name = name_of(row.photo, row.person, f"{wearing if wearing != 'none' else 'bare'}{number}", ".jpg")
        done, data = cv2.imencode(".jpg", cv2.cvtColor(made, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
        assert done, row.photo
        write(data.tobytes(), folder, name)
        rows.append(row_of(name, row, mask=mask, wearing=wearing, kind=kind))
        pictures.append(made)
    picture = None
    if row.photo in shown and pictures and not reason:
        picture = tile(pictures[int(digest(row.photo, 8), 16) % len(pictures)], face[:4])
    return Done(row.photo, "left bare" if reason else "painted", reason, rows, picture)


def evenly(photos: list[str], count: int) -> frozenset:
    """At most `count` of the photos, spread over all of them."""
    return frozenset(photos[int(i)] for i in np.linspace(0, len(photos) - 1, min(count, len(photos))))


def paint_all(rows: pd.DataFrame, p: Params, folder: Path) -> list[Done]:
    """Paint the rows of stages/readers into `folder`, by p.machine.workers processes."""
    root = Path(p.paint.source.root)
    chosen, unlabelled = to_paint(rows)
    if not chosen.any():
        raise UserError(f"paint.source.root: {str(root)!r} has no bare photo to train on, among {len(rows)}; see its "
                        "labels of mask")
    if unlabelled:
        print(f"  no photo of {root} has a label of mask: all {int(chosen.sum())} to train on are taken for bare")
    shown = evenly(list(rows.photo[chosen]), SHEET_COLUMNS * ROWS)
    job = partial(paint, root, folder, p.paint, p.detect, shown)
    attributes = list(p.all_classes.attributes)
    bare, others = ([Row(row["photo"], row["person"], row["part"], {name: row[name] for name in attributes})
                     for row in rows[part].to_dict("records")] for part in (chosen, ~chosen))
    threads = torch.get_num_threads(), cv2.getNumThreads()
    try:
        if p.machine.workers > 0:
            with ProcessPoolExecutor(p.machine.workers, get_context("spawn")) as pool:
                done = list(progress(pool.map(job, bare, chunksize=4), "painting", len(bare)))
        else:
            done = [job(row) for row in progress(bare, "painting")]
    finally:
        torch.set_num_threads(threads[0])
        cv2.setNumThreads(threads[1])
    return done + [copy(row, root, folder, "to label" if row.part != "train" else f"mask: {row.labels['mask'] or 'missing'}")
                   for row in progress(others, "copying")]


def say(done: list[Done], of: int, unused: int) -> None:
    """Print what became of all photos."""
    table = pd.DataFrame([one[:3] for one in done], columns=["photo", "outcome", "reason"])
    made = pd.DataFrame([row for one in done if one.outcome != "copied" for row in one.rows], columns=["mask", "wearing"])
    counts = table.outcome.value_counts()
    print(f"{of} photos of the source: " + ", ".join(f"{counts.get(name, 0)} {name}" for name in (
        "painted", "left bare", "copied", "not used")) + f"; {unused} other files")
    print(f"  {len(made)} made: " + ", ".join(f"{n} {mask}" for mask, n in made["mask"].value_counts().items()) + "; of these "
          + ", ".join(f"{n} {how}" for how, n in made.wearing.value_counts().items()))
    for (outcome, reason), photos in table[table.outcome != "painted"].groupby(["outcome", "reason"]).photo:
        named = "" if outcome == "copied" else ": " + ", ".join(photos[:SHOWN]) + ", ..." * (len(photos) > SHOWN)
        print(f"  {outcome}: {len(photos)} ({reason}){named}")


def main() -> None:
    p = read_params()
    root, folder = Path(p.paint.source.root), OUT.with_name(f".{OUT.name}.part")
    if lacking := [mask for mask in MADE if mask not in p.all_classes.values.get("mask", ())]:
        raise UserError(f"params.yaml: classes.mask: has no {', '.join(lacking)}; what is painted is {', '.join(MADE)}")
    if not root.is_dir():
        raise UserError(f"paint.source.root: {str(root)!r} is no folder")
    try:
        rows, unused = read_photos(root, p.paint.source, p.all_classes, p.machine.workers)
    except UserError as error:
        raise UserError(f"paint.source: {error}") from None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    done = paint_all(rows, p, folder)
    say(done, len(rows), len(unused))
    table = pd.DataFrame([row for one in done for row in one.rows],
                         columns=["photo", "person", *p.all_classes.attributes, *MORE])
    if table.empty:
        raise UserError(f"paint: no photo of {root} could be used")
    write_csv(table.sort_values("photo"), folder / "labels.csv")
    sheet = contact_sheet([one.tile for one in done if one.tile is not None])
    shutil.rmtree(OUT, ignore_errors=True)
    folder.rename(OUT)
    cv2.imwrite(str(SHEET), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    run(main, words=False)
