"""Which of a table's columns is which of ours (data.columns), and cells of any type as text."""
import json
import math
from collections import Counter

import pandas as pd
import pyarrow as pa

from stages.core.classes import Classes
from stages.core.errors import UserError
from stages.readers.names import PLACE, photos
from stages.readers.values import plain, read_part


def pick(cells: pd.DataFrame, columns: dict[str, str], classes: Classes, where,
         needed: str | None = "photo") -> pd.DataFrame:
    """Those of PLACE and of the attributes that there are, as stripped text, under our names; the others are left out.

    cells: text, under the table's names; columns: ours to theirs, where they differ. Spelling does not count.
    Raises UserError for a column of `columns` that is not there, without the `needed` one, or without any label.
    """
    known, listed = {plain(name): name for name in cells}, ", ".join(cells)
    for ours, theirs in columns.items():
        if plain(theirs) not in known:
            raise UserError(f"{where}: data.columns: {ours}: {theirs!r} is no column there; there are {listed}")
    names = (*PLACE, *classes.attributes)
    if twice := sorted(name for name, count in Counter(map(plain, cells)).items() if count > 1 and name in {
            plain(columns.get(ours, ours)) for ours in names}):
        raise UserError(f"{where}: twice the column {', '.join(twice)}, but for the spelling; there are {listed}")
    found = {ours: known[theirs] for ours in names if (theirs := plain(columns.get(ours, ours))) in known}
    if needed and needed not in found:
        raise UserError(f"{where}: no column {needed}; there are {listed}; the first line names the columns, and "
                        f"data.columns may say which it is, such as {{{needed}: file}}")
    if not found.keys() & set(classes.attributes):
        raise UserError(f"{where}: no column {', '.join(classes.attributes)}; there are {listed}; say in data.columns which "
                        "they are, such as {age: years}")
    return pd.DataFrame({ours: cells[theirs].str.strip() for ours, theirs in found.items()})


def completed(rows: pd.DataFrame, classes: Classes, parts: pd.Series | None = None) -> pd.DataFrame:
    """Rows of PLACE and all attributes. Prints what a missing column means.

    Without labels they are missing (""), without person it is unknown (""). Without part it is that of `parts`, where one
    is known (not ""); else photos are to train on, and to label those without any label. Where there is a column person, a
    photo to train on without one is refused.
    """
    rows = rows.assign(refused="", **{attribute: "" for attribute in classes.attributes if attribute not in rows})
    told = "person" in rows
    if not told:
        rows["person"] = ""
    if "part" not in rows:
        rows["part"] = "" if parts is None else parts
        unknown, labelled = rows.part == "", (rows[list(classes.attributes)] != "").any(axis=1)
        rows.loc[unknown, "part"] = labelled[unknown].map({True: "train", False: "eval"})
        if unknown.any():
            print(f"  no column part: {photos(int((unknown & labelled).sum()))} with a label to train on, "
                  f"{int((unknown & ~labelled).sum())} without any to label")
        if known := int((~unknown).sum()):
            evals = int((rows.part[~unknown] == "eval").sum())
            print(f"  no column part: by the names of files and folders, {photos(known - evals)} to train on, {evals} to label")
    if told:
        nobody = (rows.person == "") & (rows.part.map(read_part) == "train")
        rows["refused"] = nobody.map({True: "no person; name one, or leave the column out", False: ""})
    return rows[[*PLACE, *classes.attributes, "refused"]]


def text_of(value) -> str:
    """A cell of any type as text: None and NaN are "", and 25.0 is 25."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def class_names(metadata: dict[bytes, bytes] | None) -> dict[str, list[str]]:
    """The names of the classes of each column that Hugging Face's datasets saved as numbers (ClassLabel)."""
    try:
        features = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return {name: list(map(str, feature["names"])) for name, feature in features.items()
                if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def cells_of(table: pa.Table, where) -> pd.DataFrame:
    """All cells of a Parquet table as text, under its own names; raises UserError for a column that no text can be made of."""
    numbered, out = class_names(table.schema.metadata), {}
    for name in table.column_names:
        try:
            out[name] = texts(table[name].to_pylist(), numbered.get(name))
        except (pa.ArrowException, ValueError, OverflowError) as error:  # no UTF-8, or a date before the year 1
            raise UserError(f"{where}: column {name} cannot be read ({error})") from None
    return pd.DataFrame(out, dtype=str)


def texts(values: list, names: list[str] | None) -> list[str]:
    """The values of a column as text; numbers of `names` by their names, and a number without one, such as -1, as missing."""
    if names is None or not all(value is None or isinstance(value, int) for value in values):
        return [text_of(value) for value in values]
    return ["" if value is None or not 0 <= value < len(names) else names[value] for value in values]
