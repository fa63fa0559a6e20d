"""Faces found by earlier runs, so that a killed run goes on and a new photo costs only itself.

A note of each photo, [md5, row ...], is added to data/.resume/faces-KEY.txt while faces are found; KEY is key_of().
"""
from collections.abc import Iterable, Iterator
from pathlib import Path

from stages.resume.lines import FOLDER, added_to, line_of, lines_of

TOGETHER = 32  # lines written at once


class Found:
    """The rows by MD5 that earlier runs with this key noted. Those of other keys are deleted."""

    def __init__(self, key: str, folder: Path = FOLDER):
        self.file = folder / f"faces-{key}.txt"
        for other in folder.glob("faces-*"):
            if other != self.file:
                other.unlink()
        self.rows = {md5: tuple(row) for md5, *row in lines_of(self.file)}

    def together(self, md5s: Iterable[str], fresh: Iterable[tuple]) -> Iterator[tuple]:
        """Yield the row of each photo, in order: an earlier run's, or the next of `fresh`, which is noted."""
        fresh, new = iter(fresh), []
        with added_to(self.file) as notes:
            try:
                for md5 in md5s:
                    row = self.rows.get(md5)
                    if row is None:
                        new.append((md5, row := tuple(next(fresh))))
                        if len(new) == TOGETHER:
                            write(notes, new)
                            new.clear()
                    yield row
            finally:  # also where the caller stops early
                write(notes, new)


def write(notes, lines: list[tuple[str, tuple]]) -> None:
    """Note rows, but of photos that could not be read, maybe by the disk's fault."""
    notes.writelines(line_of([md5, *row]) for md5, row in lines if row[0] != "unreadable")
    notes.flush()
