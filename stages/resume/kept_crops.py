"""Crops cut by earlier runs, so that a killed run goes on after the parts it wrote, and a new photo costs only its part.

data/.resume/crops-KEY-SHA256.npy is a part of stages/core/face_store.py, linked and not copied: DVC, which removes data/faces
before it runs the stage, leaves it here. KEY is a hash of all that the part's pixels depend on, SHA256 that of its pixels.
"""
import hashlib
import os
from contextlib import suppress
from pathlib import Path

import numpy as np

from stages.core.files import atomic_write
from stages.resume.lines import FOLDER

CHUNK = 1024  # crops that are hashed at once


class KeptCrops:
    """The parts with these keys; those of other keys are deleted."""

    def __init__(self, keys: set[str], folder: Path = FOLDER):
        self.folder = folder
        for file in folder.glob("crops-*.npy"):
            if file.stem.split("-")[1] not in keys:
                file.unlink()

    def take(self, key: str, file: Path) -> str | None:
        """Make `file` the part with this key, and return the SHA-256 of its pixels; None if there is none, or it is damaged."""
        for kept in self.folder.glob(f"crops-{key}-*.npy"):
            digest = kept.stem.split("-")[2]
            with suppress(OSError, ValueError, EOFError):
                if digest_of(kept) == digest:
                    with atomic_write(file) as part:
                        os.link(kept, part)
                    return digest
            kept.unlink()
        return None

    def keep(self, key: str, file: Path, digest: str) -> None:
        """Keep a part beside; a file system without links keeps none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):
            os.link(file, self.folder / f"crops-{key}-{digest}.npy")


def digest_of(file: Path) -> str:
    """SHA-256 of a part's pixels."""
    pixels, digest = np.load(file, mmap_mode="r"), hashlib.sha256()
    for start in range(0, len(pixels), CHUNK):
        digest.update(pixels[start:start + CHUNK])
    return digest.hexdigest()
