"""Faces found by earlier runs, so that a killed run goes on and a new photo costs only itself.

A line of JSON a photo, [md5, row ...], is added to data/.resume/faces-KEY.jsonl while faces are found. KEY is a hash of all
that a row depends on beside the photo: parameters, code, libraries, the instructions of the processor or the GPU of this
machine, and variables that choose algorithms.
"""
import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from labeller.faces.prefetch import prefetch
from stages.shards.members import read_bytes

FOLDER = Path("data/.resume")
CODE = ("stages.faces", "stages.shards", "labeller.faces", "facenet_pytorch")
LIBRARIES = ("numpy", "cv2", "PIL", "simplejpeg", "torch", "torchvision")
VARIABLES = ("ATEN_", "MKL_", "ONEDNN_", "OPENCV_")
TOGETHER, READERS = 32, 8  # lines written at once, and threads that read their photos


def key_of(*settings) -> str:
    """A hash of the settings and of all else that a row depends on."""
    files = [module.__file__ for name, module in sorted(sys.modules.items())
             if name.startswith(CODE) and getattr(module, "__file__", None)]
    versions = {name: getattr(sys.modules.get(name), "__version__", None) for name in LIBRARIES}
    chosen = {key: value for key, value in os.environ.items() if key.startswith(VARIABLES)}
    parts = [[hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files], versions, sorted(chosen.items()),
             platform.machine(), torch.backends.cpu.get_cpu_capability(), *map(str, settings)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


class Found:
    """The rows by MD5 that earlier runs with this key noted. Those of other keys are deleted."""

    def __init__(self, key: str, folder: Path = FOLDER):
        self.file = folder / f"faces-{key}.jsonl"
        for other in folder.glob("faces-*.jsonl"):
            if other != self.file:
                other.unlink()
        self.rows = dict(noted(self.file))

    def together(self, photos: Iterable[tuple[Path, str]], fresh: Iterable[tuple]) -> Iterator[tuple]:
        """Yield the row of each photo (path, md5), in order: an earlier run's, or the next of `fresh`, which is noted."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = iter(fresh)
        with open(self.file, "a+b") as notes:
            if notes.tell() and (notes.seek(-1, os.SEEK_END), notes.read(1))[1] != b"\n":
                notes.write(b"\n")  # ends the line that a kill cut off
            new = []
            try:
                for path, md5 in photos:
                    row = self.rows.get(md5)
                    if row is None:
                        new.append((path, md5, row := tuple(next(fresh))))
                        if len(new) == TOGETHER:
                            write(notes, new)
                            new.clear()
                    yield row
            finally:  # also where the caller stops early
                write(notes, new)


def write(notes, lines: list[tuple[Path, str, tuple]]) -> None:
    """Note rows, but of photos that could not be read, maybe by the disk's fault, or that changed since their MD5 was taken."""
    lines = [line for line in lines if line[2][0] != "unreadable"]
    for now, (_, md5, row) in zip(prefetch(md5_of, [path for path, _, _ in lines], READERS), lines):
        if now == md5:
            notes.write(json.dumps([md5, *row]).encode() + b"\n")
    notes.flush()


def md5_of(path: Path) -> str | None:
    try:
        return hashlib.md5(read_bytes(path), usedforsecurity=False).hexdigest()
    except OSError:
        return None


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
