"""MD5s of photos that an earlier run read, so that a killed index goes on and a new photo or shard costs only itself.

A note is of a file, a photo or a shard: path, size, times of change, inode, a hash of its photos' names, and their MD5s in a
row. A file of another size, time or inode is read again, as DVC does it.
"""
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from stages.core.files import atomic_write
from stages.resume.lines import FOLDER, added_to, line_of, lines_of

FILE, NOWHERE = FOLDER / "md5s.txt", Path(os.devnull)
LONG = 32  # letters of an MD5


def md5s_of(batches: Iterable[list[tuple[Path, list[str]]]], read: Callable[[Iterable[Path]], Iterable[str]],
            file: Path) -> Iterator[str]:
    """Yield the MD5 of each photo, in order: what `file` notes, or else `read` finds, and is noted.

    batches: lists of a file and the names of its photos, [""] where the file is the photo. read: MD5s of the photos at paths,
    called once a batch.
    """
    before, lines, files = {}, 0, 0
    for lines, (path, *line) in enumerate(lines_of(file), 1):
        before[path] = line
    with added_to(file) as notes:
        for batch in batches:
            marks = [mark_of(*each) for each in batch]
            known = [before.pop(str(path), [None]) for path, _ in batch]
            known = [md5s if noted == mark else None for (*noted, md5s), mark in zip(known, marks)]
            fresh = iter(read(path / name for (path, names), md5s in zip(batch, known) if md5s is None for name in names))
            for (path, names), mark, md5s in zip(batch, marks, known):
                if md5s is None:
                    md5s = "".join(next(fresh) for _ in names)
                    notes.write(line_of([str(path), *mark, md5s]))
                    lines += 1
                files += 1
                yield from (md5s[at:at + LONG] for at in range(0, len(md5s), LONG))
            notes.flush()
    if lines > 1.5 * files:  # of files that are gone, or changed since
        last = {path: line for path, *line in lines_of(file) if path not in before}
        with atomic_write(file) as part, open(part, "wb") as out:
            out.writelines(line_of([path, *line]) for path, line in last.items())


def mark_of(path: Path, names: list[str]) -> list:
    """What tells a file from its next version: size, times in ns, inode, and the photos that it holds."""
    try:
        stat = os.stat(path)
    except OSError:  # `read` says so
        return []
    held = hashlib.sha256("\0".join(names).encode()).hexdigest()[:16]
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, held]
