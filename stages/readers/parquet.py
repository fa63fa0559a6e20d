"""Read photos inside Parquet files, as Hugging Face's datasets saves them: a column of images and columns of labels.

A photo's name is FILE.parquet/ROW, from 0. Classes that datasets saved as numbers (ClassLabel) are read by their names.
Without a column `part`, the name of a file or folder says it: train-00000-of-00002.parquet, test/0000.parquet.
"""
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from labeller.inputs.photo_files import files_in, is_text, why_unused
from stages.core.classes import Classes
from stages.core.errors import UserError
from stages.core.params import Data
from stages.readers.columns import cells_of, completed, pick
from stages.readers.names import names
from stages.readers.values import part_of_shard
from stages.shards.parquet import image_columns

SUFFIX = ".parquet"


def sign(root: Path, files: list[str], *_) -> str:
    """What tells the layout: the Parquet files with images; "" without any."""
    found = [file for file in files if file.endswith(SUFFIX) and images_in(root / file)]
    return f"{names(found)} with a column of images" if found else ""


def images_in(shard: Path) -> list[str]:
    """The columns of images of a Parquet file; [] if it is none."""
    try:
        return image_columns(pq.read_schema(shard))
    except (pa.ArrowException, OSError):
        return []


def read_parquet(root: Path, data: Data, classes: Classes) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows of PLACE, attributes and `refused` of all photos in Parquet files below `root`, and why each other file is not used.

    Raises UserError for a file that is damaged, has several columns of images, or whose columns do not fit data.columns.
    """
    found, unused = [], {}
    for file in files_in(root):
        name = file.relative_to(root).as_posix()
        if not name.endswith(SUFFIX) or "/." in f"/{name}" or not is_text(name):
            unused[name] = why_unused(file, root) or "a photo outside the Parquet files"
        else:
            found.append(read_shard(file, name, data, classes))
    if not found:
        raise UserError(f"{root}: no Parquet file, which data.layout: parquet reads")
    rows = pd.concat(found, ignore_index=True)
    return completed(rows, classes, rows.photo.map(part_of_shard)), unused


def check_images(shard: Path, images: list[str], photo: str | None) -> None:
    """Raise UserError unless there is one column of images, and data.columns names no other as `photo`."""
    if len(images) != 1:
        raise UserError(f"{shard}: {', '.join(images) or 'no column'} may be images, {{bytes, path}} or bytes, and one must "
                        "be; keep one")
    if photo and photo != images[0]:
        raise UserError(f"{shard}: its images are in {images[0]}, and data.columns: photo: {photo!r}")


def read_shard(shard: Path, name: str, data: Data, classes: Classes) -> pd.DataFrame:
    """Those of PLACE and attributes that a Parquet file has; photo is `name` and the row."""
    try:
        schema = pq.read_schema(shard)
        check_images(shard, images := image_columns(schema), data.columns.get("photo"))
        cells = pq.read_table(shard, columns=[column for column in schema.names if column not in images])
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{shard}: not a Parquet file ({str(error).splitlines()[0]})") from None
    text = cells_of(cells, shard)
    columns = {ours: theirs for ours, theirs in data.columns.items() if ours != "photo"}
    rows = pick(text.drop(columns="photo", errors="ignore"), columns, classes, shard, needed=None)
    return rows.assign(photo=[f"{name}/{row}" for row in range(len(rows))])
