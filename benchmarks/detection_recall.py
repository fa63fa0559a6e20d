"""Recall of face detection by how the mask is worn, and false boxes on photos without a face. Prints Markdown.

    python make_profiles.py contest --people 300 --eval-people 0 --framing contest --boxes contest.csv --empty 300
    python make_profiles.py wide --people 300 --eval-people 0 --framing wide --boxes wide.csv
    python -m benchmarks.detection_recall contest wide --empty contest/empty

make_profiles.py, which pastes faces into photos, is not part of this project, nor is what made the tight crops of
reports/detection.md; any photos with known boxes will do. Each
argument is a folder of photos, NAME, beside NAME.csv with photo,worn,x0,y0,x1,y1: how the mask is worn (no, well, or
anything else: wrongly) and the true box. A box is right if its centre is within a quarter of the true face's size (mean of
width and height) from the true centre, in x and in y, and its size within a third of the true size.
"""
import argparse
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
from facenet_pytorch import MTCNN

import stages  # noqa: F401 sets how torch's threads wait, before any starts
from labeller.faces.decoding import read_photos
from stages.core.command_line import run
from stages.core.device import pick_device
from stages.core.errors import UserError
from stages.core.files import read_csv
from stages.core.params import read_params
from stages.core.progress import progress
from stages.detect import detect

WORN = {"no": "bare", "well": "worn well"}  # any other value: worn wrongly
BOX = ["x0", "y0", "x1", "y1"]


def is_right(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether each box is right: (k,) bool. boxes, truth: (k, 4); a row of NaN is no box."""
    def size(b):
        return (b[:, 2] - b[:, 0] + b[:, 3] - b[:, 1]) / 2
    off = np.abs(boxes[:, :2] + boxes[:, 2:] - truth[:, :2] - truth[:, 2:]).max(1) / 2
    return (off <= size(truth) / 4) & (np.abs(size(boxes) - size(truth)) <= size(truth) / 3)


def stage(files: tuple[Path, ...], p, device) -> pd.DataFrame:
    """The rows of the stage detect."""
    photos = pd.DataFrame({"photo": map(str, files), "part": "eval", "md5": ""})
    return detect(photos, Path(), p.detect, device, p.machine.workers, p.machine.batch)


def boxes_of(rows: pd.DataFrame, ways: tuple[str, ...]) -> np.ndarray:
    """Boxes (k, 4) of the stage's rows that were found in one of these ways; NaN in the others."""
    return rows[BOX].apply(pd.to_numeric).where(rows.found.isin(ways)).to_numpy(float)


def facenet(files: tuple[Path, ...], thresholds, p, device) -> np.ndarray:
    """Boxes (k, 4) by facenet-pytorch at its default minimum size, the largest of several; NaN where it found no face."""
    mtcnn, out = MTCNN(thresholds=thresholds, device=device), []
    photos = read_photos(files, p.machine.workers)
    for photo in progress(photos, f"facenet-pytorch {thresholds}", len(files)):
        boxes, _ = mtcnn.detect(photo)
        out.append([np.nan] * 4 if boxes is None else boxes[0])
    return np.array(out, float)


def methods(p, device):
    """The methods to compare, by name: functions from a tuple of files to boxes (k, 4)."""
    mtcnn_only = p.model_copy(update={"detect": p.detect.model_copy(update={"second_look": False})})

    def not_padded(files: tuple[Path, ...]) -> np.ndarray:
        with patch("labeller.faces.detector.padded_look", lambda photos, *_: [np.zeros((0, 15))] * len(photos)):
            return boxes_of(stage(files, p, device), ("mtcnn", "lenient"))

    return {
        "facenet-pytorch": lambda files: facenet(files, [0.6, 0.7, 0.7], p, device),
        "facenet-pytorch at .3 .3 .3": lambda files: facenet(files, [0.3, 0.3, 0.3], p, device),
        "this stage without the second look": lambda files: boxes_of(stage(files, mtcnn_only, device), ("mtcnn",)),
        "this stage without the padded look": not_padded,
        "**this stage**": lambda files: boxes_of(stage(files, p, device), ("mtcnn", "lenient", "padded")),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--empty", type=Path, required=True, help="folder of photos without a face")
    args = parser.parse_args()
    p, empty = read_params(), tuple(sorted(args.empty.glob("*.*")))
    device = pick_device(p.machine)
    if not empty:
        raise UserError(f"{args.empty}: no photos there")
    truths = {folder: read_csv(f"{folder}.csv", ["photo", "worn", *BOX]) for folder in args.folders}
    ways = ["bare", "worn wrongly", "worn well"]
    columns = " | ".join(f"{folder.name}: {way}" for folder in args.folders for way in ways)
    print("| right, % |", columns, "| boxes on photos without a face |")
    print("|" + "---|" * (2 + 3 * len(args.folders)))
    for name, find in methods(p, device).items():
        cells = []
        for folder, truth in truths.items():
            right = is_right(find(tuple(folder / photo for photo in truth.photo)), truth[BOX].astype(float).to_numpy())
            way = truth.worn.map(WORN).fillna("worn wrongly")
            cells += [f"{100 * right[way == w].mean():.1f}" for w in ways]
        false = np.isfinite(find(empty)[:, 0]).sum()
        print(f"| {name} |", " | ".join(cells), f"| {false} of {len(empty)} |", flush=True)
    fixed = [is_right(np.tile(truth[BOX].astype(float).median(), (len(truth), 1)), truth[BOX].astype(float).to_numpy())
             for truth in truths.values()]
    print("\nOne box for all photos, the median of the true ones, would be right in",
          ", ".join(f"{100 * right.mean():.1f}% ({folder.name})" for folder, right in zip(truths, fixed)))
    counts = truth.worn.map(WORN).fillna("worn wrongly").value_counts()
    print("\nPhotos of each framing:", ", ".join(f"{counts.get(w, 0)} {w}" for w in ways))


if __name__ == "__main__":
    run(main)
