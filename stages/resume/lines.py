"""Files of notes in data/.resume, which runs add to: a line a note, its CRC-32 and its JSON.

A line that a kill cut off, or a disk damaged, is none. Delete the folder whenever you like.
"""
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from stages.core.files import naming

FOLDER = Path("data/.resume")


def line_of(value: list) -> bytes:
    text = json.dumps(value).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def lines_of(file: Path) -> Iterator[list]:
    """The value of each whole line; nothing if there is no file."""
    if not file.is_file():
        return
    with open(file, "rb") as lines:
        for line in lines:
            check, _, text = line.rstrip(b"\n").partition(b" ")
            if check == b"%08x" % zlib.crc32(text):
                yield json.loads(text)


@contextmanager
def added_to(file: Path) -> Iterator[BinaryIO]:
    """The file, open to add lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with naming(file), open(file, "a+b") as notes:
        if notes.tell() and (notes.seek(-1, os.SEEK_END), notes.read(1))[1] != b"\n":
            notes.write(b"\n")  # ends the line that a kill cut off
        yield notes
