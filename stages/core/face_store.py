"""The container of crops: one .npy file, memory-mapped, and a table that says which row is which photo.

    data/faces/faces.npy   (N, H, W, 3) uint8, RGB
    data/faces/faces.json  photos: the photo of each row; digest: SHA-256 of the pixels and the names
"""
import hashlib
import json
import os
from pathlib import Path

import numpy as np

from stages.core.files import atomic_write, write_json

PIXELS, TABLE = "faces.npy", "faces.json"


def write_faces(folder: Path, photos: list[str], crops, shape: tuple[int, int]) -> None:
    """Write the crops, an iterable of len(photos) arrays (H, W, 3) uint8 where (H, W) is `shape`, one by one."""
    digest = hashlib.sha256("\n".join(photos).encode())
    with atomic_write(folder / PIXELS) as part:
        out = np.lib.format.open_memmap(part, "w+", np.uint8, (len(photos), *shape, 3))
        take_room(part)
        for row, crop in zip(out, crops, strict=True):
            row[:] = crop
            digest.update(row)
        out.flush()
    write_json({"digest": digest.hexdigest(), "photos": photos}, folder / TABLE)


def take_room(file: Path) -> None:
    """Take the disk's room for a file's size; raises OSError where there is none. A later write to the mapped file would
    end in a signal."""
    if hasattr(os, "posix_fallocate"):  # not on macOS
        with open(file, "r+b") as empty:
            try:
                os.posix_fallocate(empty.fileno(), 0, file.stat().st_size)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(file)) from None


class Faces:
    """Crops by row, read from the mapped file; opened anew in each process, so that workers share its pages."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        table = json.loads((self.folder / TABLE).read_text())
        self.photos: list[str] = table["photos"]
        self.digest: str = table["digest"]
        self.pixels = np.load(self.folder / PIXELS, mmap_mode="r")

    def __len__(self):
        return len(self.photos)

    def __getitem__(self, row: int) -> np.ndarray:
        return self.pixels[row]

    def size_at(self, height: int) -> tuple[int, int]:
        """Height and width of the crops when they are resized to a height, in pixels."""
        return height, max(1, round(height * self.pixels.shape[2] / self.pixels.shape[1]))

    def __reduce__(self):
        return Faces, (self.folder,)
