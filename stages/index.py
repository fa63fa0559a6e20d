"""Index all photos, with person, part, MD5 and labels as given. Run: python -m stages.index

Reads   data.root, in the contest's layout or with the table data.table
Writes  data/photos.csv   photo,person,part,md5        one row a photo; part is train or eval
        data/given.csv    photo,person,mask,gender,age labels of the training part, as given
        data/unused.csv   file,reason                  every other file, and why

Later stages depend on the md5 in photos.csv, so that a changed photo reruns them and a changed label does not.
"""
import hashlib
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from stages.core.classes import OLDEST, VALUES
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.files import write_csv
from stages.core.params import read_params
from stages.core.progress import progress
from stages.readers.contest import read_contest
from stages.readers.table import read_table
from stages.readers.values import read_values


def check_labels(rows: pd.DataFrame, table: Path) -> pd.DataFrame:
    """Labels of the training part, under their names, and whole years; raises UserError for values not allowed.

    Prints which words were read as which values.
    """
    given = rows[rows.part == "train"].drop(columns="part").copy()
    for attribute in ("mask", "gender"):
        allowed = VALUES[attribute]
        given[attribute], read = read_values(given[attribute], attribute)
        wrong = given[~given[attribute].isin(allowed)]
        if len(wrong):
            raise UserError(f"{table}: {attribute} of {wrong.person.iloc[0]} is {wrong[attribute].iloc[0]!r}; "
                            f"allowed are {', '.join(allowed)}")
        for (word, value), count in sorted(read.items()):
            print(f"  {attribute} {word!r} was read as {value}: {count} photo{'s' * (count != 1)}")
    years = pd.to_numeric(given.age, errors="coerce")
    wrong = given[~(years.between(0, OLDEST) & (years % 1 == 0))]
    if len(wrong):
        raise UserError(f"{table}: age of {wrong.person.iloc[0]} is {wrong.age.iloc[0]!r}; "
                        f"allowed are whole years from 0 to {OLDEST}")
    return given.assign(age=years.astype(int))


def of_both_genders(given: pd.DataFrame) -> list[str]:
    """People with photos of both genders: two people under one name, or wrong labels. given: a row a photo."""
    genders = given.groupby("person").gender.nunique()
    return list(genders.index[genders > 1])


def md5_of(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def printable(name: str) -> str:
    """A file name as UTF-8 text, with escapes for other bytes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def main():
    p = read_params()
    root = Path(p.data.root)
    table = p.data.table and root / p.data.table
    rows, unused = read_table(root, table) if table else read_contest(root)
    given = check_labels(rows, table or root / "train/train.csv")
    if given.empty:
        raise UserError(f"{table or root}: no photo to train on")
    with ThreadPoolExecutor(max(1, p.machine.workers)) as pool:
        digests = pool.map(md5_of, (root / photo for photo in rows.photo))
        rows["md5"] = list(progress(digests, "reading", len(rows)))

    write_csv(rows[["photo", "person", "part", "md5"]], "data/photos.csv")
    write_csv(given, "data/given.csv")
    reasons = sorted((printable(file), reason) for file, reason in unused.items())
    write_csv(pd.DataFrame(reasons, columns=["file", "reason"]), "data/unused.csv")
    print(f"{len(rows) + len(unused)} files: {len(given)} photos of {given.person.nunique()} people to train on, "
          f"{len(rows) - len(given)} to label, {len(unused)} not used (data/unused.csv)")
    for reason, count in Counter(unused.values()).most_common():
        print(f"  not used: {count} ({reason})")
    if both := of_both_genders(given):
        print(f"  of both genders: {len(both)} people, such as {both[0]}; give each person a name, or correct the labels")


if __name__ == "__main__":
    run(main, words=False)
