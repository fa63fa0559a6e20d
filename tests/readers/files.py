"""Photos and tables that the readers' tests make, and how they read them."""
from io import BytesIO
from pathlib import Path
from zlib import crc32

import numpy as np
from PIL import Image

from stages.core.classes import CONTEST
from stages.core.params import Data
from stages.readers.layouts import read_photos

LABELS = ["mask", "gender", "age"]


def image(word: str) -> Image.Image:
    """A photo of noise, another for each word."""
    return Image.fromarray(np.random.default_rng(crc32(word.encode())).integers(0, 256, (4, 4, 3), np.uint8))


def photo(path: Path, word: str | None = None) -> None:
    """Save a photo; two of the same word and ending have the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image(word or path.as_posix()).save(path)


def jpeg(word: str) -> bytes:
    image(word).save(data := BytesIO(), format="JPEG")
    return data.getvalue()


def edit(file, old, new):
    file.write_text(file.read_text().replace(old, new))


def read(root: Path, layout: str = "auto", table: str | None = None, **columns: str):
    """Rows by photo, and unused files. columns: data.columns."""
    rows, unused = read_photos(root, Data(root=str(root), layout=layout, table=table, columns=columns), CONTEST)
    return rows.set_index("photo"), unused


def files_below(root: Path) -> set[str]:
    return {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_symlink() or not file.is_dir()}
