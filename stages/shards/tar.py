"""Random access to the photos of a tar archive: one look through its headers, then each file by its place and length."""
import tarfile
from functools import lru_cache
from pathlib import Path, PurePosixPath
from threading import Lock

LOCK = Lock()  # one thread looks through an archive, and the others take what it found


def read_bytes(shard: Path, name: str) -> bytes:
    """The bytes of one file of an archive; raises OSError if it is not there, or the archive is damaged."""
    with LOCK:
        places, _ = contents(shard)
    if name not in places:
        raise OSError(f"{name} is not in {shard}")
    start, length = places[name]
    with open(shard, "rb") as file:
        file.seek(start)
        return file.read(length)


@lru_cache(maxsize=4)  # photos come shard by shard
def contents(shard: Path) -> tuple[dict[str, tuple[int, int]], dict[str, str]]:
    """Start and length in bytes of each file of an archive, and the reason why each other entry is none. No data is read.

    Raises OSError if it is no uncompressed archive or is cut off, or a name stands twice.
    """
    places, others = {}, {}
    try:
        with tarfile.open(shard, "r:") as archive:
            while (entry := archive.next()) is not None:
                archive.members.clear()  # which tarfile keeps for ever
                name = PurePosixPath(entry.name).as_posix()
                if entry.isdir():
                    continue
                if reason := why_not(entry):
                    others[printable(entry.name)] = reason
                elif name in places:
                    raise OSError(f"{name} stands twice in {shard}")
                else:
                    places[name] = entry.offset_data, entry.size
    except tarfile.TarError as error:
        raise OSError(f"{shard} is no whole, uncompressed tar archive ({error})") from None
    return places, others


def why_not(entry: tarfile.TarInfo) -> str:
    """The reason why an entry cannot be read as a file, or "" """
    path = PurePosixPath(entry.name)
    if path.is_absolute() or ".." in path.parts:
        return "its name leads out of the archive"
    if printable(entry.name) != entry.name:
        return "its name is not UTF-8"
    return "" if entry.isreg() and not entry.issparse() else "a link, a device or a file with holes"


def printable(name: str) -> str:
    """A name as UTF-8 text, with escapes for other bytes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
