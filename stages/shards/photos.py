"""Decode photos, files of their own or in shards."""
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from labeller.faces import decoding
from labeller.faces.prefetch import prefetch
from stages.shards.members import in_shard, read_bytes


def read_or_reason(path: Path) -> np.ndarray | str:
    """The photo, (H, W, 3) uint8 RGB, or the reason why it cannot be decoded."""
    if not in_shard(path):
        return decoding.read_or_reason(path)
    try:
        return decoding.decode_photo(read_bytes(path))
    except (decoding.Unreadable, OSError) as reason:
        return str(reason)


def read_photos(paths: Iterable[Path], workers: int):
    """Yield each path's photo, or the reason why it cannot be decoded, in order; `workers` threads prefetch."""
    yield from prefetch(read_or_reason, paths, workers)
