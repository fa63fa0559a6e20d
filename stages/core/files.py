"""Atomic writes, and CSV tables whose columns are checked."""
import csv
import json
import os
import re
import zipfile
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pandas as pd
from pandas.api.types import is_numeric_dtype

from stages.core.errors import UserError

AT_ONCE = 50_000  # rows
RUNS = re.compile(r"'*(?:[=@\t\r\n]|[+-](?!(?:\d+(?:\.\d+)?)?$))")  # texts that a spreadsheet runs; no number, and no lone -
FIRST = "'=@\t\r\n+-"  # their first letters


def damaged(path, what: str, out, stage: str) -> UserError:
    """The error of a file that a stage wrote and that is not whole; out: the output of the stage that holds it."""
    return UserError(f"{path}: {what}; run dvc checkout --force {out}, or dvc repro --force --single-item {stage}")


@contextmanager
def atomic_write(path):
    """Yield a temporary path beside `path`, which replaces `path` if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)  # what a kill left, which may be a link
    try:
        with naming(path):
            yield part
            with open(part, "rb") as file:
                os.fsync(file.fileno())
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def naming(path):
    """Give an OSError the file's name, if it has none: on a full disk neither Python, pandas nor pyarrow says it."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise OSError(error.errno, error.strerror or str(error), str(path)) from None
        raise


def write_csv(frame: pd.DataFrame, path) -> None:
    """Write a table, with ' before each text that a spreadsheet would run; read_csv takes it off again."""
    frame, texts = frame.copy(), [column for column in frame if not is_numeric_dtype(frame[column])]
    for column in texts:
        frame[column] = disarmed(frame[column])
    returns = any(frame[column].astype(str).str.contains("\r", regex=False).any() for column in texts)
    quoting = csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL  # which quotes no carriage return
    with atomic_write(path) as part:
        frame.to_csv(part, index=False, lineterminator="\n", quoting=quoting)


def disarmed(texts: pd.Series) -> pd.Series:
    """The texts with ' before what a spreadsheet takes for a formula (OWASP, "CSV Injection"), and before one that looks so."""
    armed = texts.astype(str).str[:1].isin(list(FIRST))
    armed[armed] = texts[armed].map(lambda text: isinstance(text, str) and RUNS.match(text) is not None).astype(bool)
    return texts.where(~armed, "'" + texts.astype(str)) if armed.any() else texts


def armed_again(texts: pd.Series) -> pd.Series:
    """The texts as they were before disarmed()."""
    armed = texts.str[:1] == "'"
    return texts.where(~armed, texts[armed].map(lambda text: text[1:] if RUNS.match(text) else text)) if armed.any() else texts


def write_parquet(frame: pd.DataFrame, path) -> None:
    """Write a table with checksums, by which stages/evaluation/tables.py tells a damaged one."""
    with atomic_write(path) as part:
        frame.to_parquet(part, index=False, write_page_checksum=True)


def write_json(value, path) -> None:
    with atomic_write(path) as part:
        part.write_text(json.dumps(value, indent=2) + "\n")


def read_csv(path, columns: list[str], delimiter: str = ",", lower: bool = False) -> pd.DataFrame:
    """Read a CSV as text, so that an id keeps its leading zeros and a person called NA is not taken as missing. A ' before
    a formula is no part of the text: write_csv puts it there.

    lower: the names of the columns are read in lower case and without spaces around them.
    Raises UserError if the file is missing, is no CSV, lacks one of `columns`, has one twice, or has a row with more or
    fewer cells than columns.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file, delimiter=delimiter, strict=True)
            names = next(filter(None, lines), [])  # skips empty lines
            names = [name.strip().lower() for name in names] if lower else names
            check_names(path, names, columns)
            return pd.concat(frames_of(path, names, lines), ignore_index=True)
    except (FileNotFoundError, IsADirectoryError):
        way = "; `dvc repro` makes what earlier stages write" if Path(path).parent == Path("data") else ""
        raise UserError(f"{path}: no such file{way}") from None
    except UnicodeDecodeError as error:
        if zipfile.is_zipfile(path):
            raise UserError(f"{path}: an Excel workbook, by its content; save it as `CSV UTF-8`") from None
        raise UserError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}); save it as `CSV UTF-8`, or run iconv, such "
                        f"as iconv -f cp949 -t utf-8 {path}") from None
    except csv.Error as error:
        raise UserError(f"{path}: not a CSV table in UTF-8 ({error})") from None


def check_names(path, names: list[str], columns: list[str]) -> None:
    """Raise UserError if a CSV's first line is not there, lacks one of `columns`, or has one twice."""
    if not names:
        raise UserError(f"{path}: not a CSV table in UTF-8 (it is empty)")
    for problem, found in (("no column", [c for c in columns if c not in names]),
                           ("twice the column", sorted({c for c in names if names.count(c) > 1}))):
        if found:
            needed = f"needed are {', '.join(columns)}, " if columns else ""
            raise UserError(f"{path}: {problem} {', '.join(found)}; {needed}found are {', '.join(names)}")


def frames_of(path, names: list[str], lines):
    """Yield a CSV's rows as text, AT_ONCE in a table, since Python's own texts take several times the memory."""
    def checked(row: list[str]) -> list[str]:
        if len(row) != len(names):
            raise UserError(f"{path}: line {lines.line_num} has {len(row)} cells, and the first has {len(names)}: "
                            f"{', '.join(names)}")
        return row

    rows, part = map(checked, filter(None, lines)), None
    while part is None or len(part) == AT_ONCE:  # also of a table without rows
        part = list(islice(rows, AT_ONCE))
        yield pd.DataFrame(part, columns=names, dtype=str).apply(armed_again)
