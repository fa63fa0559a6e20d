"""Read what another stage wrote: a file that is not whole is named, with the stage that makes it anew."""
import io
import json
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pandas.api.types import is_numeric_dtype

from stages.core.files import damaged

ROUNDING = 1e-6  # of a probability in float32
READERS = {".parquet": partial(pd.read_parquet, page_checksum_verification=True), ".csv": pd.read_csv,
           ".tsv": partial(pd.read_csv, sep="\t")}


def parse_table(content: bytes, ending: str, texts: list[str], numbers: list[str]) -> pd.DataFrame:
    """The table in a file's bytes, in the format of its ending; raises ValueError if it is none, lacks a column of texts or
    numbers, or has text in a column of numbers. CSV is read as pandas does: NA is missing, and 007 is 7."""
    try:
        table = READERS[ending](io.BytesIO(content))
    except (ValueError, TypeError, KeyError, OSError, pa.ArrowException):
        raise ValueError(f"no {ending[1:].upper()} table") from None
    if missing := [column for column in [*texts, *numbers] if column not in table]:
        raise ValueError(f"no column {', '.join(missing)}")
    if wrong := [column for column in numbers if len(table) and not is_numeric_dtype(table[column])]:
        raise ValueError(f"its column {', '.join(wrong)} does not hold numbers")
    return table


def check_predictions(table: pd.DataFrame, columns: list[str], classes: dict[str, int]) -> None:
    """Raise ValueError unless each photo stands in one row, the columns hold probabilities, and the others numbers of classes,
    from 0, of which there are so many."""
    if (twice := table.photo.duplicated()).any():
        raise ValueError(f"the photo {table.photo[twice].iloc[0]} is there twice")
    for column, highest in [*((column, 1) for column in columns), *((name, count - 1) for name, count in classes.items())]:
        if not (right := table[column].between(0, highest + ROUNDING)).all():  # NaN is not
            photo, value = table[["photo", column]][~right].iloc[0]
            raise ValueError(f"{column} of {photo} is {value}, and must be from 0 to {highest}")


def read_table(path, texts: list[str], numbers: list[str], stage: str, out=None) -> pd.DataFrame:
    """A Parquet, CSV or TSV table that a stage wrote. out: the output of the stage that holds it, if that is a folder.

    Raises UserError as parse_table raises ValueError, and FileNotFoundError.
    """
    path = Path(path)
    try:
        return parse_table(path.read_bytes(), path.suffix, texts, numbers)
    except ValueError as error:
        raise damaged(path, str(error), out or path, stage) from None


def read_predictions(path, texts: list[str], columns: list[str], classes: dict[str, int], known, stage: str) -> pd.DataFrame:
    """A Parquet table of probabilities that a stage wrote, of photos that are all in `known`.

    Raises UserError as parse_table and check_predictions raise ValueError, and for a photo not known; FileNotFoundError.
    """
    try:
        table = parse_table(Path(path).read_bytes(), ".parquet", ["photo", *texts], [*columns, *classes])
        check_predictions(table, columns, classes)
        if len(strange := table.photo[~table.photo.isin(known)]):
            raise ValueError(f"the photo {strange.iloc[0]} is not in data/photos.csv")
    except ValueError as error:
        raise damaged(path, str(error), path, stage) from None
    return table


def read_json(path, keys: list[str], stage: str) -> dict:
    """A JSON object that a stage wrote; raises UserError if it is none or lacks a key, and FileNotFoundError."""
    try:
        value = json.loads(Path(path).read_bytes())
        if missing := [key for key in keys if key not in value]:
            raise ValueError(f"no {', '.join(missing)}")
    except (ValueError, TypeError, RecursionError) as error:
        what = str(error) if str(error).startswith("no ") else "not JSON"
        raise damaged(path, what, path, stage) from None
    return value
