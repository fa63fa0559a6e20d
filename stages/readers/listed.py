"""What all tables share: their photos are files below data.root, each once."""
from pathlib import Path, PurePosixPath
from unicodedata import normalize

import pandas as pd

from labeller.inputs.photo_files import files_in, why_unused
from stages.core.errors import UserError
from stages.readers.names import names, photos


def once(rows: pd.DataFrame, where) -> pd.DataFrame:
    """The rows, each photo once; identical rows count once, which is said. Raises UserError where two differ."""
    rows = rows.assign(photo=[PurePosixPath(photo).as_posix() for photo in rows.photo])  # ./a//b.jpg is a/b.jpg
    distinct = rows.drop_duplicates(ignore_index=True)
    if (twice := distinct.photo.duplicated()).any():
        raise UserError(f"{where}: photo {names(set(distinct.photo[twice]))} stands in two rows that differ")
    if len(rows) > len(distinct):
        print(f"  {photos(len(rows) - len(distinct))} listed twice, in rows that are equal, count once")
    return distinct


def check_there(rows: pd.DataFrame, root: Path, where) -> None:
    """Raise UserError if a row's photo is not a file below `root`."""
    if outside := [p for p in rows.photo if Path(p).is_absolute() or ".." in Path(p).parts]:
        raise UserError(f"{where}: photo {names(outside)} is not a path below data.root, {root}")
    if missing := [p for p in rows.photo if not (root / p).is_file()]:
        check_forms(missing, [file.relative_to(root).as_posix() for file in files_in(root)], where)
        raise UserError(f"{where}: photo {names(missing)} is not there; paths are relative to data.root, {root}")


def check_forms(missing, there, where) -> None:
    """Raise UserError if a name that is missing is there in the other Unicode form, which looks the same."""
    known = {normalize("NFC", name) for name in there}
    if alike := [name for name in missing if normalize("NFC", name) in known]:
        raise UserError(f"{where}: {names(alike)} is not there; a name there differs in its Unicode form alone (NFD, as Macs "
                        "write it, or NFC); write both in one form")


def unlisted(rows: pd.DataFrame, root: Path, tables: list[Path]) -> dict[str, str]:
    """Why each file below `root` that is neither a row's photo nor one of the tables is not used."""
    used, known = set(rows.photo), {table.resolve() for table in tables}
    files = {f.relative_to(root).as_posix(): f for f in files_in(root) if f.resolve() not in known}
    return {name: why_unused(f, root) or "not in the table" for name, f in files.items() if name not in used}


def below(root: Path, files: list[str], listed: list[str], where) -> str:
    """The prefix ("" or "folder/") of the folder below `root` that a published table's paths start in.

    Raises UserError if the first photo is in no folder, or all are in two. files: all paths below `root`.
    """
    known, first = set(files), listed[0]
    found = [file.removesuffix(first) for file in files if file == first or file.endswith(f"/{first}")]
    whole = [folder for folder in found if all(folder + photo in known for photo in listed)] or found
    if len(whole) != 1:
        folders = names(folder or "./" for folder in whole) or "no folder"
        raise UserError(f"{where}: its photos, such as {first}, lie in {folders} of {root}; leave them in "
                        "one folder there")
    return whole[0]
