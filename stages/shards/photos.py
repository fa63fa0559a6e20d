"""Decode photos, files of their own or in shards."""
import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from labeller.faces import decoding
from labeller.faces.prefetch import prefetch
from stages.core.errors import UserError
from stages.shards import members

AGAIN = "run dvc repro --force --single-item index, and dvc repro"  # DVC alone sees no change that came while index ran


def read_or_reason(path: Path, md5: str | None = None) -> np.ndarray | str:
    """The photo, (H, W, 3) uint8 RGB, or the reason why it cannot be decoded.

    md5: of its bytes, as photos.csv has it. Raises UserError if they are others now.
    """
    try:
        data = members.read_bytes(path) if members.in_shard(path) else decoding.read_bytes(path)
        if md5 and hashlib.md5(data, usedforsecurity=False).hexdigest() != md5:
            raise UserError(f"{path}: changed since it was indexed; {AGAIN}")
        return decoding.decode_photo(data)
    except (decoding.Unreadable, OSError) as reason:
        return str(reason)


def read_photos(photos: Iterable[tuple[Path, str]], workers: int):
    """Yield read_or_reason of each photo, (path, MD5), in order; `workers` threads prefetch."""
    yield from prefetch(lambda photo: read_or_reason(*photo), photos, workers)
