"""Read a table of one's own photos, CSV or Parquet: photo, and of mask, gender, age, person, part those that it has.

Names in any case and order; data.columns says which column is which. A CSV has commas, semicolons or tabs between cells.
"""
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stages.core.classes import Classes
from stages.core.errors import UserError
from stages.core.files import read_csv
from stages.core.params import Data
from stages.readers.columns import cells_of, completed, pick
from stages.readers.listed import check_there, once, unlisted
from stages.readers.values import plain
from stages.shards.parquet import image_columns

TAB = "\t"
SUFFIXES = (".csv", ".tsv", ".parquet")


def sign(root: Path, files: list[str], data: Data, *_) -> str:
    """Which files right in `root` have a column of photos, as the layout is told by; "" if none has."""
    found = [file for file in files if "/" not in file and file.endswith(SUFFIXES)
             and plain(data.columns.get("photo", "photo")) in header(root / file)]
    return f"{' and '.join(found)} with a column of photos" if found else ""


def table_of(root: Path, data: Data) -> Path:
    """data.table, or the one table in `root` with a column of photos; raises UserError if there are two or none."""
    if data.table:
        return root / data.table
    found = [file for file in sorted(root.iterdir()) if not file.name.startswith(".") and file.suffix in SUFFIXES
             and plain(data.columns.get("photo", "photo")) in header(file)]
    if len(found) != 1:
        raise UserError(f"data.table: null, and {root} holds {' and '.join(f.name for f in found) or 'no table'} with a column "
                        "of photos; name the table in data.table")
    return found[0]


def header(table: Path) -> list[str]:
    """The plain names of a table's columns that hold no images; [] if it cannot be read."""
    try:
        if table.suffix == ".parquet":
            schema = pq.read_schema(table)
            return [plain(name) for name in schema.names if name not in image_columns(schema)]
        with open(table, encoding="utf-8-sig") as file:
            return [plain(name.strip('"')) for name in file.readline().strip().split(delimiter_of(table))]
    except (OSError, UnicodeDecodeError, pa.ArrowException):
        return []


def delimiter_of(table: Path) -> str:
    """What lies between the names of the columns: a comma, a semicolon as Excel writes it in much of the world, or a tab."""
    try:
        with open(table, encoding="utf-8", errors="replace") as file:
            first = file.readline()
    except OSError:
        return ","  # read_csv says what is wrong
    return max(",;" + TAB, key=first.count)


def read_cells(table: Path) -> pd.DataFrame:
    """All cells of a table, as text under its own names."""
    if table.suffix == ".parquet":
        try:
            schema = pq.read_schema(table)
            cells = pq.read_table(table, columns=[name for name in schema.names if name not in image_columns(schema)])
        except FileNotFoundError:
            raise UserError(f"{table}: no such file") from None
        except (pa.ArrowException, OSError) as error:
            raise UserError(f"{table}: not a Parquet table ({str(error).splitlines()[0]})") from None
        return cells_of(cells, table)
    delimiter = delimiter_of(table)
    if delimiter != ",":
        print(f"  {table}: cells lie between {'tabs' if delimiter == TAB else delimiter}, not commas")
    return read_csv(table, [], delimiter, lower=True)


def read_table(root: Path, data: Data, classes: Classes) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows and unused files as read_contest returns them; the table's photos are paths below `root`.

    Raises UserError for columns that do not fit, a photo listed twice with other values, missing or outside `root`.
    """
    table = table_of(root, data)
    rows = completed(once(pick(read_cells(table), data.columns, classes, table), table), classes)
    check_there(rows, root, table)
    return rows, unlisted(rows, root, [table])
