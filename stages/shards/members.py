"""Photos inside shards: shard.tar/key.jpg is a file of a tar archive, shard.parquet/7 row 7 (from 0) of a Parquet file.

Nothing is unpacked to the disk: a tar's photo is read at its place, a Parquet file's with its row group, of which two are kept.
"""
from pathlib import Path

from stages.shards import parquet, tar

READ = {".tar": tar.read_bytes, ".parquet": parquet.read_bytes}


def shard_of(path: Path) -> Path | None:
    """The shard that holds a photo, or None for a file of its own."""
    if not in_shard(path):
        return None
    return next((folder for folder in path.parents if folder.suffix in READ and folder.is_file()), None)


def in_shard(path: Path) -> bool:
    """Whether a photo's name is one within a shard. A folder called x.tar is none, and costs one more look."""
    return any(f"{suffix}/" in path.as_posix() for suffix in READ) and any(
        folder.suffix in READ and folder.is_file() for folder in path.parents)


def read_bytes(path: Path) -> bytes:
    """The bytes of a photo in a shard; raises OSError if it is not there or cannot be read."""
    shard = shard_of(path)
    if shard is None:
        return path.read_bytes()
    return READ[shard.suffix](shard, path.relative_to(shard).as_posix())
