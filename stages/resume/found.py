"""Faces found by earlier runs, so that a killed run goes on and a new photo costs only itself.

A line of JSON a photo, [md5, row ...], is added to data/.resume/faces-KEY.jsonl while faces are found; KEY is key_of().
"""
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from stages.resume.key import FOLDER

TOGETHER = 32  # lines written at once


class Found:
    """The rows by MD5 that earlier runs with this key noted. Those of other keys are deleted."""

    def __init__(self, key: str, folder: Path = FOLDER):
        self.file = folder / f"faces-{key}.jsonl"
        for other in folder.glob("faces-*.jsonl"):
            if other != self.file:
                other.unlink()
        self.rows = dict(noted(self.file))

    def together(self, md5s: Iterable[str], fresh: Iterable[tuple]) -> Iterator[tuple]:
        """Yield the row of each photo, in order: an earlier run's, or the next of `fresh`, which is noted."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = iter(fresh)
        with open(self.file, "a+b") as notes:
            if notes.tell() and (notes.seek(-1, os.SEEK_END), notes.read(1))[1] != b"\n":
                notes.write(b"\n")  # ends the line that a kill cut off
            new = []
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
    notes.writelines(json.dumps([md5, *row]).encode() + b"\n" for md5, row in lines if row[0] != "unreadable")
    notes.flush()


def noted(file: Path) -> Iterator[tuple[str, tuple]]:
    """MD5 and row of each whole line."""
    if not file.is_file():
        return
    with open(file, "rb") as lines:
        for line in lines:
            try:
                md5, *row = json.loads(line)
            except ValueError:
                continue
            yield md5, tuple(row)
