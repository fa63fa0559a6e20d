"""Read a CSV table of other photos: photo,person,mask,gender,age,part, in any case and order, between , ; or tabs."""
from pathlib import Path, PurePosixPath

import pandas as pd

from labeller.inputs.photo_files import files_in, why_unused
from stages.core.errors import UserError
from stages.core.files import read_csv
from stages.readers.names import COLUMNS, names

TAB = "\t"


def delimiter_of(table: Path) -> str:
    """What lies between the names of the columns: a comma, a semicolon as Excel writes it in much of the world, or a tab."""
    try:
        with open(table, encoding="utf-8", errors="replace") as file:
            first = file.readline()
    except OSError:
        return ","  # read_csv says what is wrong
    return max(",;" + TAB, key=first.count)


def read_table(root: Path, table: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows and unused files as read_contest returns them; the table's photos are paths below `root`.

    Raises UserError for a wrong part, a photo listed twice, missing or outside `root`, or a training photo without person.
    """
    delimiter = delimiter_of(table)
    if delimiter != ",":
        print(f"  {table}: cells lie between {'tabs' if delimiter == TAB else delimiter}, not commas")
    rows = read_csv(table, COLUMNS, delimiter, lower=True)[COLUMNS].apply(lambda column: column.str.strip())
    rows["photo"] = [PurePosixPath(photo).as_posix() for photo in rows.photo]  # ./a//b.jpg is a/b.jpg
    if len(unknown := set(rows.part) - {"train", "eval"}):
        raise UserError(f"{table}: part {names(repr(v) for v in unknown)} is not allowed; choose train or eval")
    duplicates = rows.photo[rows.photo.duplicated()]
    if len(duplicates):
        raise UserError(f"{table}: photo {names(set(duplicates))} stands in two rows")
    without_person = rows.photo[(rows.part == "train") & (rows.person == "")]
    if len(without_person):
        raise UserError(f"{table}: photo {names(without_person)} has no person; photos of one person must stay in one fold")
    outside = [p for p in rows.photo if Path(p).is_absolute() or ".." in Path(p).parts]
    if outside:
        raise UserError(f"{table}: photo {names(outside)} is not a path below data.root, {root}")
    if missing := [p for p in rows.photo if not (root / p).is_file()]:
        raise UserError(f"{table}: photo {names(missing)} is not there; paths are relative to data.root, {root}")
    listed = set(rows.photo)
    files = {f.relative_to(root).as_posix(): f for f in files_in(root) if f.resolve() != table.resolve()}
    return rows, {name: why_unused(f, root) or "not in the table" for name, f in files.items() if name not in listed}
