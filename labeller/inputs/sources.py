"""What was given on the command line, as photos: paths, the photos of folders, the frames of videos, and stdin."""
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from labeller.errors import BundleError
from labeller.inputs.photo_files import SUFFIXES, files_in, why_unused

VIDEOS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm")
STDIN = "-"


def list_files(given: list[str]) -> tuple[list[str], list[str]]:
    """The photos and videos at the given paths and below the given folders, each once; and the files left out, with why."""
    found, left_out = [], []
    for path in map(Path, given):
        if str(path) == STDIN:
            found.append(STDIN)
        elif not path.exists():
            raise BundleError(f"{path}: no such file or folder")
        elif path.is_dir():
            for file in files_in(path):
                why = why_unused(file, path)
                if why and is_video(file) and file.is_file() and not file.name.startswith("."):
                    why = None
                if why:
                    left_out.append(f"{file} ({why})")
                else:
                    found.append(str(file))
        else:  # one that was named is tried, whatever its name ends with
            found.append(str(path))
    if not found:
        raise BundleError(f"{', '.join(given)}: no photos or videos; their names end with one of {' '.join(SUFFIXES + VIDEOS)}")
    return list(dict.fromkeys(found)), left_out


def is_video(file: Path) -> bool:
    return file.suffix.lower() in VIDEOS


def photos_of(files: list[str], every: float) -> Iterator[tuple[str, object]]:
    """Name and photo of each file, as Labeller takes it; of a video a frame every so many seconds, as NAME@SECONDS."""
    for file in files:
        if file == STDIN:
            yield STDIN, sys.stdin.buffer.read()
        elif is_video(Path(file)):
            yield from frames(file, every)
        else:
            yield file, Path(file)


def frames(file: str, every: float) -> Iterator[tuple[str, object]]:
    """The frames of a video, (H, W, 3) uint8, RGB; the file's first bytes where it holds none, which are no photo either."""
    video = cv2.VideoCapture(file)
    rate, at, due, read = video.get(cv2.CAP_PROP_FPS) or 25.0, 0, 0.0, 0
    while video.grab():
        seconds = at / rate
        if seconds >= due:
            ok, frame = video.retrieve()
            if ok:
                read += 1
                yield f"{file}@{seconds:.2f}", np.ascontiguousarray(frame[:, :, ::-1])
            due += every
        at += 1
    video.release()
    if not read:
        with open(file, "rb") as data:
            yield file, data.read(16)
