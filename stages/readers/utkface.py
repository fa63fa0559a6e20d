"""Read UTKFace (https://susanqq.github.io/UTKFace): [age]_[gender]_[race]_[date&time].jpg in any folders; 0 is male.

Some of its names lack a field; such a photo is refused, since nobody can tell which. No person is known.
"""
import re
from pathlib import Path

import pandas as pd

from labeller.inputs.photo_files import why_unused
from stages.readers.folders import part_of, photos_in, say_parts
from stages.readers.names import COLUMNS

NAME = re.compile(r"(\d{1,3})_([01])_[0-4]_\d+ *(\.\w+)*")  # of the stem; aligned photos end in .jpg.chip.jpg
GENDERS = {"0": "male", "1": "female"}


def sign(root: Path, files: list[str], *_) -> str:
    """What tells the layout: half of the photos have such names; "" if they have not."""
    photos = [file for file in files if part_of(file) != "eval" and why_unused(root / file, root) is None]
    named = sum(NAME.fullmatch(Path(file).stem) is not None for file in photos)
    return f"{named} of {len(photos)} photos are named AGE_GENDER_RACE_DATE" if named and 2 * named >= len(photos) else ""


def read_utkface(root: Path, *_) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows of COLUMNS, and `refused`, of all photos below `root`, and why each other file is none."""
    files, unused = photos_in(root)
    rows = []
    for file in files:
        named, part = NAME.fullmatch(Path(file).stem), part_of(file) or "train"
        age, gender = named.groups()[:2] if named else ("", "")
        refused = "" if named or part == "eval" else "its name is not AGE_GENDER_RACE_DATE: one of them is lacking or wrong"
        rows.append((file, "", part, "", GENDERS.get(gender, ""), age, refused))
    print("  of the names, gender 0 is male and 1 female")
    table = pd.DataFrame(rows, columns=[*COLUMNS, "refused"], dtype=str)
    say_parts(table.part)
    return table, unused
