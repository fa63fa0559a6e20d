"""Files that appear whole or not at all, and tables whose columns are checked when they are read."""
import json
import os
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from stages.lib.errors import UserError


@contextmanager
def whole(path):
    """Yield a temporary path beside `path`; what was written there becomes `path` when the block ends well."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_csv(frame: pd.DataFrame, path) -> None:
    with whole(path) as part:
        frame.to_csv(part, index=False, lineterminator="\n")


def write_parquet(frame: pd.DataFrame, path) -> None:
    with whole(path) as part:
        frame.to_parquet(part, index=False)


def write_json(value, path) -> None:
    with whole(path) as part:
        part.write_text(json.dumps(value, indent=2) + "\n")


def read_csv(path, columns: list[str]) -> pd.DataFrame:
    """Read a CSV as text, so that an id keeps its zeros and a person called NA stays one.

    Raises UserError where the file is missing, is no CSV, or lacks one of `columns`.
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False, encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        raise UserError(f"{path}: no such file") from None
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise UserError(f"{path}: not a CSV table in UTF-8 ({str(error).strip()})") from None
    missing = [c for c in columns if c not in frame]
    if missing:
        raise UserError(f"{path}: no column {', '.join(missing)}; needed are {', '.join(columns)}, "
                        f"found are {', '.join(frame.columns)}")
    return frame
