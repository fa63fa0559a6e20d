"""Read IMDB-Clean (https://github.com/yiminglin-ai/imdb-clean): imdb_train_new.csv or imdb_train_new_1024.csv, valid, test.

filename,age,gender and others, with photos such as 00/nm0000100_rm12818688_1955-1-6_2003.jpg: a person is the number nm...
Test photos are to label, all others to train on.
"""
import re
from pathlib import Path, PurePosixPath

import pandas as pd

from stages.core.errors import UserError
from stages.readers.fairface import read_published

TABLE = re.compile(r"(.*/)?imdb_(train|valid|test)_new(?:_1024)?\.csv")
PERSON = re.compile(r"nm\d+")


def sign(root: Path, files: list[str], *_) -> str:
    """The tables that tell the layout, or "" """
    return " and ".join(file for file in files if TABLE.fullmatch(file))


def person_of(photo: str) -> str:
    """nm0000100 of 00/nm0000100_rm12818688_1955-1-6_2003.jpg; raises UserError for a name without such a number."""
    if not (found := PERSON.match(PurePosixPath(photo).name)):
        raise UserError(f"photo {photo}: names no person, such as nm0000100_rm12818688_1955-1-6_2003.jpg; layout imdb is of "
                        "IMDB-Clean's names, and a table of others goes into data.table")
    return found[0]


def read_imdb(root: Path, *_) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows of COLUMNS of the tables' photos, and why each other file below `root` is not used."""
    return read_published(root, TABLE, "filename", person_of)
