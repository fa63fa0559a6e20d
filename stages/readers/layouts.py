"""All photos of a folder, in whichever layout it has: the entry to all readers.

Each layout is a file of this package, with a function read_<layout>(root, data, classes) that gives rows and unused files,
and `sign`, which says what shows it.
"""
from pathlib import Path

import pandas as pd

from labeller.inputs.photo_files import files_in, is_text
from stages.core.classes import Classes
from stages.core.errors import UserError
from stages.core.params import FILE, Data
from stages.readers import contest, fairface, folders, imdb, parquet, table, tar, utkface
from stages.readers.identity import with_md5, with_people
from stages.readers.labels import check_rows
from stages.readers.names import PLACE
from stages.resume.hashes import NOWHERE

READ = {"contest": contest.read_contest, "table": table.read_table, "utkface": utkface.read_utkface,
        "fairface": fairface.read_fairface, "imdb": imdb.read_imdb, "folders": folders.read_folders,
        "parquet": parquet.read_parquet, "tar": tar.read_tar}
BY_FILES = {"contest": contest.sign, "table": table.sign, "fairface": fairface.sign, "imdb": imdb.sign,
            "parquet": parquet.sign, "tar": tar.sign}
BY_NAMES = {"utkface": utkface.sign, "folders": folders.sign}  # looked at where no file tells the layout
WITH_COLUMNS = ("table", "parquet", "tar")  # that read data.columns


def read_photos(root: Path, data: Data, classes: Classes, workers: int = 1,
                notes: Path = NOWHERE) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows, one a photo below `root`, and the reason why each other file there is not used.

    Rows have PLACE, the attributes of `classes`, and md5. part is train or eval. Of the part to train on, person is known, and
    attributes are names, or whole years as text, or "" where missing; of the part to label they are "", and so is an unknown
    person. `workers` threads read the photos, but those whose MD5 is in `notes`, which gets it.
    Prints which layout was read, and what it took for what.
    Raises UserError where the layout is not clear, files lack, or most rows are refused.
    """
    if not root.is_dir():
        raise UserError(f"data.root: {str(root)!r} is no folder")
    layout, why = layout_of(root, data, classes)
    print(f"{root}: layout {layout} ({why})")
    rows, unused = READ[layout](root, data, classes)
    where = table.table_of(root, data) if layout == "table" else root / "train/train.csv" if layout == "contest" else root
    rows = rows.reindex(columns=[*PLACE, *classes.attributes, *(["refused"] if "refused" in rows else [])], fill_value="")
    rows, refused = check_rows(rows, classes, str(where), "data.columns" if layout in WITH_COLUMNS else "data.layout")
    return with_people(with_md5(rows, root, workers, notes)), unused | refused


def layout_of(root: Path, data: Data, classes: Classes) -> tuple[str, str]:
    """The layout of the photos below `root`, and how it is known; raises UserError if none fits, or two do."""
    if data.layout != "auto":
        return data.layout, "data.layout"
    if data.table:
        return "table", "data.table"
    files = [name for name in (file.relative_to(root).as_posix() for file in files_in(root))
             if "/." not in f"/{name}" and is_text(name)]
    for signs in (BY_FILES, BY_NAMES):
        fitting = {layout: said for layout, sign in signs.items()
                   if (not data.columns or layout in WITH_COLUMNS) and (said := sign(root, files, data, classes))}
        if len(fitting) > 1:
            raise UserError(f"{root}: its layout may be " + ", or ".join(f"{name} ({said})" for name, said in fitting.items())
                            + f"; say which in data.layout of {FILE}")
        if fitting:
            return next(iter(fitting.items()))
    tables = [file for file in files if "/" not in file and file.endswith(table.SUFFIXES)]
    hint = f"name the column of photos of {tables[0]} in data.columns" if tables else "write a table of them"
    raise UserError(f"{root}: {len(files)} files, and no layout of photos fits them" + " that reads data.columns" * bool(
        data.columns) + f"; {hint}, or set data.layout in {FILE}; docs/own-photos.md lists the layouts")
