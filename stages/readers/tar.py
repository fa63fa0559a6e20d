"""Read WebDataset's tar archives: KEY.jpg, and beside it in the archive KEY.json, or KEY.cls, KEY.txt, KEY.age, ...

A photo's name is ARCHIVE.tar/KEY.jpg. The keys of the JSON, and the endings of small files of text, are columns: data.columns
says what they are, such as {gender: cls}. Without `part` among them, the name of an archive or folder says it.
"""
import json
from pathlib import Path, PurePosixPath

import pandas as pd

from labeller.inputs.photo_files import SUFFIXES, files_in, is_text, why_unused
from stages.core.classes import Classes
from stages.core.errors import UserError
from stages.core.params import Data
from stages.readers.columns import completed, pick, text_of
from stages.readers.names import PLACE, names
from stages.readers.values import part_of_shard
from stages.shards.tar import contents, read_bytes

SUFFIX, LABELS, LONGEST = ".tar", ("json", "cls", "txt"), 100_000  # bytes of a file of labels


def sign(root: Path, files: list[str], *_) -> str:
    """What tells the layout: the tar archives; "" without any."""
    found = [file for file in files if file.endswith(SUFFIX)]
    return names(found) if found else ""


def read_tar(root: Path, data: Data, classes: Classes) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows of PLACE and attributes, and `refused`, of all photos in archives below `root`, and why each other file is not used.

    Raises UserError for an archive that is damaged or compressed, or columns that do not fit data.columns.
    """
    if "photo" in data.columns:
        raise UserError(f"data.columns: photo: {data.columns['photo']!r}: photos in a tar archive are its files; leave it out")
    found, unused = [], {}
    for file in files_in(root):
        name = file.relative_to(root).as_posix()
        if not name.endswith(SUFFIX) or "/." in f"/{name}" or not is_text(name):
            unused[name] = why_unused(file, root) or "a photo outside the archives"
            continue
        try:
            rows, others = read_archive(file, {*LABELS, *PLACE, *classes.attributes, *data.columns.values()})
        except OSError as error:
            raise UserError(str(error)) from None
        found += [row | {"photo": f"{name}/{row['photo']}"} for row in rows]
        unused |= {f"{name}/{other}": reason for other, reason in others.items()}
    if not found:
        raise UserError(f"{root}: no photo in a tar archive, which data.layout: tar reads")
    cells = pd.DataFrame(found, dtype=str).fillna("")
    if (cells.refused != "").all():
        raise UserError(f"{root}: no photo has labels that can be read; of {cells.photo[0]}, {cells.refused[0]}")
    refused, parts = cells.pop("refused"), cells.photo.map(part_of_shard)
    rows = completed(pick(cells, data.columns, classes, root), classes, parts.mask((parts == "") & (refused != ""), "train"))
    return rows.assign(refused=refused.where(refused != "", rows.refused)), unused


def read_archive(shard: Path, endings: set[str]) -> tuple[list[dict[str, str]], dict[str, str]]:
    """photo, refused and labels under their own names, of each photo; and why each other file is not used."""
    places, unused = contents(shard)
    photos, labels, unused = {}, {}, dict(unused)
    for name, (_, length) in places.items():
        path = PurePosixPath(name)
        stem, _, ending = path.name.partition(".")
        key = (path.parent, stem)
        if any(part.startswith(".") for part in path.parts):
            unused[name] = "junk: the name starts with a dot"
        elif f".{ending.lower()}" in SUFFIXES:
            if key in photos:
                unused[name] = f"a second photo of {stem}"
            photos.setdefault(key, name)
        elif ending in endings and length <= LONGEST:
            labels.setdefault(key, {})[ending] = name
        else:
            unused[name] = "neither a photo nor its labels"
    unused |= {name: "no photo of this name beside it" for key, files in labels.items() if key not in photos
               for name in files.values()}
    return [{"photo": photo} | read_labels(shard, labels.get(key, {})) for key, photo in photos.items()], unused


def read_labels(shard: Path, files: dict[str, str]) -> dict[str, str]:
    """The labels of one photo from its files by ending, and why it is `refused`, or ""."""
    found = {"refused": ""}
    for ending, name in sorted(files.items()):
        try:
            text = read_bytes(shard, name).decode("utf-8-sig")
            values = json.loads(text) if ending == "json" else {ending: text.strip()}
            told = {str(key): text_of(value) for key, value in values.items() if key not in ("photo", "refused")}
            "".join([*told, *told.values()]).encode()  # JSON can write half of a pair of surrogates, which is no text
            found |= told
        except (ValueError, AttributeError, RecursionError):
            found["refused"] = f"{PurePosixPath(name).name} beside it is no JSON object, or not UTF-8"
    return found
