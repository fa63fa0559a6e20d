"""Store of the crops: a memory-mapped array, and an index of the photos.

    data/faces/faces.npy   (N, H, W, 3) uint8, RGB
    data/faces/faces.json  photos: the photo of each row; digest: SHA-256 of the pixels and the names
"""
import hashlib
import json
import os
from pathlib import Path

import numpy as np

from stages.core.files import atomic_write, damaged, write_json

PIXELS, TABLE = "faces.npy", "faces.json"


def write_faces(folder: Path, photos: list[str], crops, shape: tuple[int, int]) -> None:
    """Write crops one by one: an iterable of len(photos) arrays (H, W, 3) uint8, where `shape` is (H, W)."""
    digest = hashlib.sha256("\n".join(photos).encode())
    with atomic_write(folder / PIXELS) as part:
        out = np.lib.format.open_memmap(part, "w+", np.uint8, (len(photos), *shape, 3))
        allocate(part)
        for row, crop in zip(out, crops, strict=True):
            row[:] = crop
            digest.update(row)
        out.flush()
    write_json({"digest": digest.hexdigest(), "photos": photos}, folder / TABLE)


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
    """Crops by row, memory-mapped; each process opens the file anew, so that workers share its pages.

    Raises UserError unless the files have the form that write_faces gives them; the pixels are not read for that.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        try:
            table = json.loads((self.folder / TABLE).read_bytes())
            self.photos, self.digest = list(map(str, table["photos"])), str(table["digest"])
        except (ValueError, TypeError, KeyError, RecursionError):
            raise damaged(self.folder / TABLE, "not what crop writes", self.folder, "crop") from None
        try:
            self.pixels = np.load(self.folder / PIXELS, mmap_mode="r")
        except (ValueError, EOFError) as error:
            raise damaged(self.folder / PIXELS, f"not what crop writes ({error})", self.folder, "crop") from None
        shape, kind = self.pixels.shape, self.pixels.dtype
        if (len(shape), shape[:1], shape[3:], kind) != (4, (len(self.photos),), (3,), np.uint8):
            raise damaged(self.folder / PIXELS, f"{kind} of shape {shape}, not uint8 ({len(self.photos)}, H, W, 3) as {TABLE} "
                          "beside it says", self.folder, "crop")

    def __len__(self):
        return len(self.photos)

    def __getitem__(self, row: int) -> np.ndarray:
        return self.pixels[row]

    def size_at(self, height: int) -> tuple[int, int]:
        """Height and width of the crops after resizing to a height, in pixels."""
        return height, max(1, round(height * self.pixels.shape[2] / self.pixels.shape[1]))

    def __reduce__(self):
        return Faces, (self.folder,)
