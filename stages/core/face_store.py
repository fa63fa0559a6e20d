"""Store of the crops: memory-mapped arrays, each of some photos in a row, and a table of them.

    data/faces/0000.npy, ...  (n, H, W, 3) uint8, RGB
    data/faces/faces.json     photos: the photo of each row, over all parts; parts: photos and SHA-256 of the pixels of each;
                              shape: H and W; digest: SHA-256 of all pixels and names

A photo that comes or goes changes the part that it lies in, and no part of others, so that DVC keeps and pushes those once.
"""
import hashlib
import json
import os
import tokenize
import zlib
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate, islice, pairwise
from pathlib import Path

import numpy as np

from stages.core.files import atomic_write, damaged, write_json

TABLE = "faces.json"
PART = 2048  # photos in a part, on average: 100 MB of 128 pixels
OPEN = 32  # parts at once, since each takes an open file
DAMAGED = (ValueError, EOFError, OverflowError, tokenize.TokenError)  # what NumPy raises for a file that is no whole array


def part_name(number: int) -> str:
    return f"{number:04d}.npy"


def parts_of(photos: list[str]) -> list[slice]:
    """The rows of each part. A photo whose name has a CRC-32 that PART divides is the last of its part, so that other photos,
    before or after, do not move the ends of parts (content-defined chunking, as in rsync --rsyncable)."""
    ends = [row for row, photo in enumerate(photos, 1) if zlib.crc32(photo.encode()) % PART == 0]
    borders = [0, *ends, *[len(photos)] * (not ends or ends[-1] < len(photos))]
    return [slice(start, end) for start, end in pairwise(borders) if end > start]


def write_part(file: Path, crops: Iterable[np.ndarray], shape: tuple[int, int, int]) -> str:
    """Write crops one by one, an iterable of n arrays (H, W, 3) uint8; shape: n, H, W. Returns the SHA-256 of the pixels."""
    digest = hashlib.sha256()
    with atomic_write(file) as part:
        out = np.lib.format.open_memmap(part, "w+", np.uint8, (*shape, 3))
        allocate(part)
        for row, crop in zip(out, crops, strict=True):
            row[:] = crop
            digest.update(row)
        out.flush()
    return digest.hexdigest()


def write_table(folder: Path, photos: list[str], digests: list[str], shape: tuple[int, int]) -> None:
    """Write the table of the parts that parts_of(photos) says. digests: write_part's; shape: (H, W)."""
    whole = hashlib.sha256("\n".join([*photos, *digests]).encode())
    parts = [{"photos": rows.stop - rows.start, "sha256": digest}
             for rows, digest in zip(parts_of(photos), digests, strict=True)]
    write_json({"digest": whole.hexdigest(), "shape": shape, "parts": parts, "photos": photos}, folder / TABLE)


def write_faces(folder: Path, photos: list[str], crops: Iterable[np.ndarray], shape: tuple[int, int]) -> None:
    """Write all parts: crops is an iterable of len(photos) arrays (H, W, 3) uint8, where `shape` is (H, W)."""
    crops, digests = iter(crops), []
    for number, rows in enumerate(parts_of(photos)):
        count = rows.stop - rows.start
        digests.append(write_part(folder / part_name(number), islice(crops, count), (count, *shape)))
    write_table(folder, photos, digests, shape)


def allocate(file: Path) -> None:
    """Reserve disk space for a file's size. Raises OSError on a full disk, where a write to the mapped file would end in
    a signal."""
    if hasattr(os, "posix_fallocate"):  # not on macOS
        with open(file, "r+b") as empty:
            try:
                os.posix_fallocate(empty.fileno(), 0, file.stat().st_size)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(file)) from None


class Faces:
    """Crops by row, memory-mapped; each process opens the files anew, so that workers share their pages. shape: H and W.

    Raises UserError unless the files have the form that write_faces gives them; the pixels are not read for that.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        try:
            table = json.loads((self.folder / TABLE).read_bytes())
            self.photos, self.digest = list(map(str, table["photos"])), str(table["digest"])
            self.shape = height, width = tuple(map(int, table["shape"]))
            counts = [int(part["photos"]) for part in table["parts"]]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise damaged(self.folder / TABLE, "not what crop writes", self.folder, "crop") from None
        self.starts = list(accumulate(counts, initial=0))
        if self.starts[-1] != len(self.photos):
            raise damaged(self.folder / TABLE, "not what crop writes", self.folder, "crop")
        for number, count in enumerate(counts):
            check_part(self.folder / part_name(number), (count, height, width, 3))
        self.part = lru_cache(OPEN)(lambda number: np.load(self.folder / part_name(number), mmap_mode="r"))

    def __len__(self):
        return len(self.photos)

    def __getitem__(self, row: int) -> np.ndarray:
        number = bisect_right(self.starts, row) - 1
        return self.part(number)[row - self.starts[number]]

    def size_at(self, height: int) -> tuple[int, int]:
        """Height and width of the crops after resizing to a height, in pixels."""
        return height, max(1, round(height * self.shape[1] / self.shape[0]))

    def __reduce__(self):
        return Faces, (self.folder,)


def check_part(file: Path, shape: tuple[int, ...]) -> None:
    """Raise UserError unless a file holds uint8 of this shape."""
    try:
        pixels = np.load(file, mmap_mode="r")
    except DAMAGED as error:
        raise damaged(file, f"not what crop writes ({error})", file.parent, "crop") from None
    if (pixels.shape, pixels.dtype) != (shape, np.uint8):
        raise damaged(file, f"{pixels.dtype} of shape {pixels.shape}, not uint8 of {shape} as {TABLE} beside it says",
                      file.parent, "crop")
