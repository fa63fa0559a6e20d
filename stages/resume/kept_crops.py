"""Crops cut by earlier runs, so that a killed run goes on after the parts it wrote, and a new photo costs only its part.

data/.resume/crops-KEY-SHA256.npy is a part of stages/core/face_store.py. KEY is a hash of all that its pixels depend on, SHA256
that of its pixels. It becomes a part of data/faces by a link: DVC, which removes data/faces before it runs the stage, leaves
the file here.
"""
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from stages.core.face_store import DAMAGED, write_part
from stages.core.files import atomic_write
from stages.resume.lines import FOLDER

CHUNK = 1024  # crops that are hashed at once


class KeptCrops:
    """The parts with these keys; those of other keys are deleted, and what a kill left half-written."""

    def __init__(self, keys: set[str], folder: Path = FOLDER):
        self.folder = folder
        for file in folder.glob("*-*.npy*"):
            kind, key, *_ = file.name.split("-")
            if kind in ("new", ".new") or (kind == "crops" and key not in keys):
                file.unlink()

    def find(self, key: str) -> Path | None:
        """The part with this key; None if there is none, or it is damaged, and gone then."""
        for file in self.folder.glob(f"crops-{key}-*.npy"):
            try:
                if digest_of(file) == sha256_in(file):
                    return file
            except (*DAMAGED, OSError):
                pass
            file.unlink()
        return None

    def add(self, key: str, crops: Iterable[np.ndarray], shape: tuple[int, int, int]) -> Path:
        """Write a part, as face_store.write_part does."""
        file = self.folder / f"new-{key}.npy"
        return file.rename(self.folder / f"crops-{key}-{write_part(file, crops, shape)}.npy")


def sha256_in(file: Path) -> str:
    """The SHA-256 of a part's pixels, by its name."""
    return file.stem.split("-")[2]


def digest_of(file: Path) -> str:
    """The SHA-256 of a part's pixels, by themselves."""
    pixels, digest = np.load(file, mmap_mode="r"), hashlib.sha256()
    for start in range(0, len(pixels), CHUNK):
        digest.update(pixels[start:start + CHUNK])
    return digest.hexdigest()


def place(kept: Path, file: Path) -> None:
    """Make a kept part the part `file`; where the file system has no links it is kept no longer."""
    with atomic_write(file) as part:
        try:
            os.link(kept, part)
        except OSError:
            kept.rename(part)
