"""Label photos outside the pipeline with the trained models. Run: python -m tools.label PHOTO|FOLDER ... [--out labels.csv]

Detects and crops faces as params.yaml says, predicts by every model of the listed folds (or the refitted one), and votes
and decides as the stage combine does, each photo by itself. Trains nothing; DVC does not track the result. The
table has a row for each photo:

    photo, found            how the face was found: mtcnn, lenient, center (no face: the middle), unreadable
    class                   0 to 17; empty if the photo could not be decoded
    mask, gender, age       by name
    p_mask, p_gender, p_age the voted probability of each of these
"""
import argparse
import tempfile
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from stages.combine import calibrated, label, logs_of, vote_on_classes
from stages.core.classes import ATTRIBUTES, VALUES
from stages.core.command_line import run
from stages.core.device import pick_device
from stages.core.errors import UserError
from stages.core.face_store import Faces, write_faces
from stages.core.files import write_csv
from stages.core.params import FILE, Params, read_params
from stages.core.progress import progress
from stages.core.yaml_file import read_yaml
from stages.crop import crop_shape, crops
from stages.detect import detect
from stages.evaluation.breakdown import confidence
from stages.evaluation.ground_truth import read_truth
from stages.index import printable
from stages.predict import folder_of, probabilities
from stages.readers.photo_files import files_in, why_unused
from stages.voting.class_offsets import GROUPS, find_offsets

COLUMNS = ["photo", "found", "class", *ATTRIBUTES, *(f"p_{attribute}" for attribute in ATTRIBUTES)]


def find_photos(given: list[str]) -> list[str]:
    """The photos at the given paths and below the given folders, each once; prints the number of other files."""
    photos, others = [], 0
    for path in map(Path, given):
        if not path.exists():
            raise UserError(f"{path}: no such file or folder")
        root, files = (path, files_in(path)) if path.is_dir() else (path.parent, [path])
        fit = [str(file) for file in files if not why_unused(file, root)]
        photos, others = photos + fit, others + len(files) - len(fit)
    if others:
        print(f"not photos, by their names: {others}")
    if not photos:
        raise UserError(f"{', '.join(given)}: no photos")
    if strange := [shown for photo in photos if (shown := printable(photo)) != photo]:
        raise UserError(f"{strange[0]}: the name is not UTF-8; rename it")
    return list(dict.fromkeys(photos))


def network_folders(p: Params) -> dict[str, list[Path]]:
    """The folders of each model's trained networks: one a fold, or that of its refit."""
    folders = {name: [folder_of(name, fold) for fold in (["refit"] if name in p.refit else p.folds)] for name in p.models}
    for folder in chain(*folders.values()):
        if not (folder / "model.json").is_file():
            raise UserError(f"{folder}: no trained model; run dvc repro, or dvc pull")
    return folders


def check_crops(p: Params) -> None:
    """Raise UserError if detection or crop parameters changed since the run whose crops the models learnt from."""
    stages, now = read_yaml(Path("dvc.lock"))["stages"], read_yaml(FILE)
    for stage in ("detect", "crop") if p.crop.method == "face" else ("crop",):
        was = stages[stage]["params"][str(FILE)][stage]
        for key, value in now[stage].items():
            if value != was.get(key):
                raise UserError(f"{FILE}: {stage}.{key}: {value!r}, and the models learnt from crops made with "
                                f"{was.get(key)!r}; set it back, or run dvc repro")


def vote_of_networks(faces: Faces, folders: dict[str, list[Path]], p: Params) -> pd.DataFrame:
    """The vote of all networks: probabilities, a row a photo, columns class_0 ... class_17."""
    device, rows = pick_device(p.machine.device), list(range(len(faces)))
    networks = [(name, folder) for name in folders for folder in folders[name]]
    tables = {name: {} for name in folders}
    for name, folder in progress(networks, "labelling", unit="network"):
        fold = "refit" if name in p.refit else folder.name
        tables[name][fold] = probabilities(name, folder, faces, rows, p, device)
    return vote_on_classes(p, calibrated(p, read_truth(p), lambda name, _: tables[name]))


def final_classes(voted: pd.DataFrame, p: Params) -> np.ndarray:
    """Classes (N,) by combine.decision; offsets are found on the pipeline's out-of-fold predictions, photo by photo."""
    logs = logs_of(voted)
    if p.combine.by_person:
        print("each photo is labelled by itself: combine.by_person needs the person, who is not known here")
    if p.combine.decision == "argmax":
        return logs.argmax(1)
    truth = read_truth(p)
    pipelines = vote_on_classes(p, calibrated(p, truth))
    known = pipelines.index.intersection(truth.index)
    offsets = find_offsets(logs_of(pipelines.loc[known]), truth["class"].loc[known].to_numpy(), GROUPS[p.combine.decision])
    return (logs + offsets).argmax(1)


def label_photos(photos: list[str], folders: dict[str, list[Path]], p: Params, scratch: Path) -> pd.DataFrame:
    """The table of labels, in the photos' order; `scratch` is a temporary folder for the crops."""
    listed = pd.DataFrame({"photo": photos, "part": "eval"})
    boxes = detect(listed, Path(), p.detect, pick_device(p.machine.device), p.machine.workers, p.machine.batch)
    fit = boxes[boxes.found != "unreadable"]
    table = boxes[["photo", "found"]].set_index("photo")
    if fit.empty:
        return table.reset_index().reindex(columns=COLUMNS)
    write_faces(scratch, list(fit.photo), crops(Path(), fit, p.crop, p.machine.workers), crop_shape(p.crop))
    voted = vote_of_networks(Faces(scratch), folders, p)
    labels = label(final_classes(voted, p), voted.index)
    for attribute in ATTRIBUTES:
        labels[f"p_{attribute}"] = confidence(voted.join(labels), attribute).round(4)
        labels[attribute] = np.array(VALUES[attribute])[labels[attribute]]
    return table.join(labels.astype({"class": "Int64"})).reset_index()[COLUMNS]


def main():
    parser = argparse.ArgumentParser(prog="python -m tools.label", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", metavar="PHOTO or FOLDER", nargs="+")
    parser.add_argument("--out", metavar="FILE", default="labels.csv", help="the table; default %(default)s")
    args = parser.parse_args()
    p, photos = read_params(), find_photos(args.photos)
    if not args.out.endswith(".csv") or Path(args.out).is_dir():  # so that a misplaced photo's name overwrites no photo
        raise UserError(f"--out: {args.out}: name a file that ends in .csv")
    folders, folder = network_folders(p), Path(args.out).absolute().parent
    check_crops(p)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:  # may have more space than the system's temporary folder
        table = label_photos(photos, folders, p, Path(scratch))
    write_csv(table, args.out)
    found = ", ".join(f"{count} {how}" for how, count in table.found.value_counts().items())
    print(f"{args.out}: {len(table)} photos, faces: {found}")


if __name__ == "__main__":
    run(main)
