"""Read the contest's layout: train/train.csv with a folder of seven photos a person, and eval/info.csv."""
from pathlib import Path

import pandas as pd

from labeller.inputs.photo_files import files_in, why_unused
from stages.core.errors import UserError
from stages.core.files import read_csv
from stages.readers.listed import check_forms
from stages.readers.names import COLUMNS, names

MASK_OF = {f"mask{i}": "worn" for i in range(1, 6)} | {"incorrect_mask": "incorrect", "normal": "bare"}


def sign(root: Path, files: list[str], *_) -> str:
    """The tables that tell the layout, or "" """
    return " and ".join(file for file in files if file in ("train/train.csv", "eval/info.csv"))


def read_contest(root: Path, *_) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows of COLUMNS, one a photo, and the reason why each other file below `root` is not used.

    Raises UserError where the tables and folders disagree.
    """
    train, unused = read_train(root)
    evals, unused_evals = read_eval(root)
    files = {file.relative_to(root).as_posix() for file in files_in(root)} - {"train/train.csv", "eval/info.csv"}
    outside = {file: why_unused(root / file, root) or "outside train/images and eval/images"
            for file in sorted(files) if not file.startswith(("train/images/", "eval/images/"))}
    return pd.DataFrame(train + evals, columns=COLUMNS), unused | unused_evals | outside


def read_train(root: Path) -> tuple[list[tuple], dict[str, str]]:
    """Rows and unused files of train/."""
    table, images = root / "train/train.csv", root / "train/images"
    people = read_csv(table, ["id", "gender", "age", "path"])
    if not images.is_dir():
        raise UserError(f"{images}: no such folder; it holds a folder of photos for each row of {table}")
    duplicates = people.path[people.path.duplicated()]
    if len(duplicates):
        raise UserError(f"{table}: path {names(set(duplicates))} stands in two rows; each person needs a path of their own")
    folders = {folder.name for folder in images.iterdir() if folder.is_dir() and not folder.name.startswith(".")}
    check_forms(set(people.path) - folders, folders, table)
    if unlisted := folders - set(people.path):
        raise UserError(f"{images}: folder {names(unlisted)} is not in {table}; add a row or take the folder away")
    if missing := set(people.path) - folders:
        raise UserError(f"{table}: {names(missing)} has no folder in {images}; add the folder or take the row away")
    rows, unused = [], {}
    labels = {person.path: (person.gender, person.age) for person in people.itertuples()}
    for file in files_in(images):
        photo, person = file.relative_to(root).as_posix(), file.parent.name
        reason = why_unused(file, images)
        if not reason and file.parent.parent != images:
            reason = "not in a person's own folder"
        if not reason and file.stem not in MASK_OF:
            reason = f"unknown name: none of {' '.join(MASK_OF)}"
        if not reason and rows and rows[-1][0].rsplit(".", 1)[0] == photo.rsplit(".", 1)[0]:
            reason = f"a second {file.stem} of this person"
        if reason:
            unused[photo] = reason
        else:
            rows.append((photo, person, "train", MASK_OF[file.stem], *labels[person]))
    if empty := set(people.path) - {row[1] for row in rows}:
        raise UserError(f"{images}: no photo in the folder of {names(empty)}; add photos or take folder and row away")
    return rows, unused


def read_eval(root: Path) -> tuple[list[tuple], dict[str, str]]:
    """Rows and unused files of eval/."""
    table, images = root / "eval/info.csv", root / "eval/images"
    listed = read_csv(table, ["ImageID"]).ImageID
    duplicates = listed[listed.duplicated()]
    if len(duplicates):
        raise UserError(f"{table}: ImageID {names(set(duplicates))} stands in two rows")
    files, wanted = {f.relative_to(images).as_posix(): f for f in files_in(images)}, set(listed)
    check_forms(wanted - files.keys(), files, table)
    if missing := wanted - files.keys():
        raise UserError(f"{table}: {names(missing)} is not in {images}; add the photo or take the row away")
    unused = {f"eval/images/{name}": why_unused(file, images) or f"not in {table.name}"
              for name, file in files.items() if name not in wanted}
    return [(f"eval/images/{name}", "", "eval", "", "", "") for name in listed], unused
