"""Index all photos, with person, part, MD5 and labels as given. Run: python -m stages.index

Reads   data.root, in the layout data.layout (stages/readers/layouts.py); data/.resume, where stages/resume/hashes.py notes MD5s
Writes  data/photos.csv   photo,person,part,md5        one row a photo; part is train or eval
        data/given.csv    photo,person,mask,gender,age labels of the training part, as given, "" if missing: all attributes of
                          the section `classes`, and gender and age even if they are none
        data/unused.csv   file,reason                  every other file, and why

Later stages depend on the md5 in photos.csv, so that a changed photo reruns them and a changed label does not.
"""
import os
from collections import Counter
from pathlib import Path

import pandas as pd

from stages.core.classes import OF_PERSON
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.files import write_csv
from stages.core.params import read_params
from stages.readers.layouts import read_photos
from stages.resume.hashes import FILE

SHOWN = 20  # reasons on screen


def of_several(given: pd.DataFrame, attribute: str) -> list[str]:
    """People whose photos differ in an attribute of a person. given: a row a photo, "" for what is not known."""
    known = given[given[attribute] != ""].groupby("person")[attribute].nunique()
    return list(known.index[known > 1])


def printable(name: str) -> str:
    """A file name as UTF-8 text, with escapes for other bytes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def main():
    p = read_params()
    rows, unused = read_photos(Path(p.data.root), p.data, p.all_classes, p.machine.workers, FILE)
    attributes = dict.fromkeys((*p.all_classes.attributes, *OF_PERSON))
    given = rows[rows.part == "train"].reindex(columns=["photo", "person", *attributes], fill_value="")
    if given.empty:
        raise UserError(f"{p.data.table or p.data.root}: no photo to train on; {len(rows)} to label, {len(unused)} not used")

    write_csv(rows[["photo", "person", "part", "md5"]], "data/photos.csv")
    write_csv(given, "data/given.csv")
    reasons = sorted((printable(file), reason) for file, reason in unused.items())
    write_csv(pd.DataFrame(reasons, columns=["file", "reason"]), "data/unused.csv")
    print(f"{len(rows) + len(unused)} files: {len(given)} photos of {given.person.nunique()} people to train on, "
          f"{len(rows) - len(given)} to label, {len(unused)} not used (data/unused.csv)")
    counts = Counter(unused.values()).most_common()
    for reason, count in counts[:SHOWN]:
        print(f"  not used: {count} ({reason})")
    if rest := sum(count for _, count in counts[SHOWN:]):
        print(f"  not used: {rest} (other reasons)")
    if both := of_several(given, "gender"):
        print(f"  of both genders: {len(both)} people, such as {both[0]}; give each person a name, or correct the labels")
    if aged := of_several(given, "age"):
        print(f"  of several ages: {len(aged)} people, such as {aged[0]}; if that is right, leave combine.by_person false")


if __name__ == "__main__":
    run(main, words=False)
