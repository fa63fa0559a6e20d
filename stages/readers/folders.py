"""Read photos whose folders say what they show, in any nesting: worn/male/34/x.jpg, train/with_mask/ann/x.jpg.

A folder's name is a value of mask, gender or age (years, a range, an age group), one of the joint classes, or a part: photos
below `train` and `val` are to train on, those below `test` and `eval` to label, whatever their folders say. A name that is
none of these is a person's where every photo to train on has one and there are several (people_of); else it means nothing.
"""
import re
from pathlib import Path, PurePosixPath

import pandas as pd

from labeller.inputs.photo_files import files_in, why_unused
from stages.core.classes import AGE, OLDEST, Classes
from stages.core.errors import UserError
from stages.core.params import Data
from stages.readers.names import PLACE, either, names, photos
from stages.readers.values import WORDS, plain, range_of, read_part, words_of

YEARS = re.compile(r"0|[1-9]\d{0,2}")  # 007 is a number of something else


def photos_in(root: Path) -> tuple[list[str], dict[str, str]]:
    """The photos below `root`, and why each other file is none."""
    reasons = {file.relative_to(root).as_posix(): why_unused(file, root) for file in files_in(root)}
    return ([file for file, reason in reasons.items() if not reason],
            {file: reason for file, reason in reasons.items() if reason})


def part_of(file: str) -> str:
    """train or eval, as a folder of the path says, or "" """
    return next((part for folder in PurePosixPath(file).parts[:-1] if (part := read_part(folder))), "")


def meaning(folder: str, classes: Classes) -> dict[str, str]:
    """What the name of a folder says: part or an attribute and the word; {} if nothing."""
    word = plain(folder)
    if word in classes.names:
        return dict(zip(classes.attributes, word.split("_")))
    for attribute in classes.attributes:
        if attribute != AGE and word in words_of(attribute, classes):
            return {attribute: folder}
    if word in WORDS["part"]:
        return {"part": folder}
    if AGE not in classes.values:
        return {}
    low, high, _ = range_of(folder, classes) or (1, 0, 0)
    if low <= high <= OLDEST or (YEARS.fullmatch(folder) and int(folder) <= OLDEST):
        return {"age": folder}
    return {}


def read_path(folders: tuple[str, ...], classes: Classes) -> dict[str, str]:
    """What folders say of a photo: person (the last name that says nothing), part, attributes, and why it is `refused`."""
    row = dict.fromkeys([*PLACE[1:], *classes.attributes, "refused"], "")
    for folder in folders:
        said = meaning(folder, classes)
        for attribute, word in said.items():
            if row[attribute] and plain(row[attribute]) != plain(word):
                row["refused"] = f"its path says two of {attribute}: {row[attribute]} and {word}"
            row[attribute] = word
        if not said:
            row["person"] = folder
    row["part"] = row["part"] and (read_part(row["part"]) or "")
    if row["part"] != "eval" and not row["refused"] and not any(row[attribute] for attribute in classes.attributes):
        row["refused"] = f"no folder of its path names {either(classes.attributes)}"
    return row


def sign(root: Path, files: list[str], data: Data, classes: Classes) -> str:
    """What tells the layout: the folders of half of the photos to train on name a value; "" if they do not."""
    rows = rows_of([file for file in files if why_unused(root / file, root) is None], classes)
    rows = rows[rows.part != "eval"]
    said = int((rows[list(classes.attributes)] != "").any(axis=1).sum())
    if not said or 2 * said < len(rows):
        return ""
    return f"the folders of {said} of {photos(len(rows))} name {either(classes.attributes)}"


def rows_of(files: list[str], classes: Classes) -> pd.DataFrame:
    """Rows of the photos, as read_path gives them."""
    known = {folders: read_path(folders, classes) for folders in {PurePosixPath(file).parts[:-1] for file in files}}
    return pd.DataFrame([{"photo": file} | known[PurePosixPath(file).parts[:-1]] for file in files],
                        columns=[*PLACE, *classes.attributes, "refused"], dtype=str)


def people_of(rows: pd.DataFrame) -> bool:
    """Whether the names that say nothing are people: each photo to train on has one, there are several, most of one gender."""
    train = rows[(rows.part != "eval") & (rows.refused == "")]
    if "gender" not in train:
        return (train.person != "").all() and train.person.nunique() > 1
    genders = train[train.gender != ""].groupby("person").gender.nunique()
    return (train.person != "").all() and train.person.nunique() > 1 and (genders > 1).sum() * 2 <= len(genders)


def read_folders(root: Path, data: Data, classes: Classes) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows of PLACE and attributes, and `refused`, of all photos below `root`, and why each other file is none."""
    files, unused = photos_in(root)
    rows = rows_of(files, classes)
    numbers = sorted({int(word) for word in rows.get(AGE, []) if YEARS.fullmatch(word)})
    if data.layout == "auto" and numbers and numbers == list(range(numbers[0], len(numbers) + numbers[0])) and numbers[0] < 2:
        raise UserError(f"{root}: folders named {numbers[0]} to {numbers[-1]} may be ages, classes or people; set data.layout "
                        "to folders if they are ages, or name them otherwise")
    for attribute in classes.attributes:
        if said := set(rows[attribute]) - {""}:
            print(f"  folders named {names(said)} are read as {attribute}")
    others = set(rows.person) - {""}
    people = bool(others) and people_of(rows)
    if others:
        print(f"  folders named {names(others)} are read as " + (f"{len(others)} people" if people else "nothing"))
    if not people:
        rows["person"] = ""
    say_parts(rows.part)
    return rows.assign(part=rows.part.replace("", "train")), unused


def say_parts(parts: pd.Series) -> None:
    """Print how many photos are to label, since a folder says so. parts: train, eval or "" """
    if evals := int((parts == "eval").sum()):
        print(f"  {photos(evals)} to label, in folders test or eval; the others are to train on")
