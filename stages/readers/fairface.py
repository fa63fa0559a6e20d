"""Read FairFace (https://github.com/joojs/fairface): fairface_label_train.csv, fairface_label_val.csv, and their photos.

file,age,gender,race,service_test: ages are ranges, of which the middle year is taken (70 of "more than 70"); each range lies
in one of the contest's age groups. Both tables are to train on, since the folds validate. No person is known.
"""
import re
from pathlib import Path

import pandas as pd

from stages.core.files import read_csv
from stages.readers.listed import below, check_there, once, unlisted
from stages.readers.names import COLUMNS

TABLE = re.compile(r"(.*/)?fairface_label_(train|val)\.csv")


def sign(root: Path, files: list[str], *_) -> str:
    """The tables that tell the layout, or "" """
    return " and ".join(file for file in files if TABLE.fullmatch(file))


def read_fairface(root: Path, *_) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows of COLUMNS of both tables' photos, and why each other file below `root` is not used."""
    return read_published(root, TABLE, "file", lambda name: "")


def read_published(root: Path, pattern: re.Pattern, photo: str, person_of) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows and unused files of a data set's tables, whose names `pattern` fits, the part in its last group.

    photo: the column of the photos, which lie in any one folder; person_of: the person by a photo's name.
    """
    files = sorted(file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file())
    tables, rows = [root / file for file in files if pattern.fullmatch(file)], []
    for table in tables:
        cells = read_csv(table, [photo, "age", "gender"])
        if cells.empty:
            continue
        folder = below(root, files, list(cells[photo]), table)
        part = pattern.fullmatch(table.relative_to(root).as_posix())[2]
        rows.append(cells.assign(photo=folder + cells[photo], person=cells[photo].map(person_of), part=part, mask="")[COLUMNS])
        check_there(rows[-1], root, table)
    rows = once(pd.concat([pd.DataFrame(columns=COLUMNS, dtype=str), *rows], ignore_index=True), root)
    return rows, unlisted(rows, root, tables)
