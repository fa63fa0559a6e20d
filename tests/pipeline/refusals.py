"""Run a stage, tool or command in this process, in a changed copy of a finished project, and see what it prints."""
import os
import runpy
import shutil
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
import yaml

from stages.shards import parquet, tar
from tests.fuzz.bounds import limited

SECONDS, MEMORY = 20, 4 << 30  # of a case that trains before it fails; most take a tenth of a second


class Workshop:
    """A copy of a finished project to change, run a command in, and mend again."""

    def __init__(self, finished: Path, root: Path):
        self.root = root
        shutil.copytree(finished, root, symlinks=True)
        self.finished, self.files = finished, files_of(root)

    def mend(self) -> set[str]:
        """Make all files those of the finished project again; returns the paths of those that were not."""
        now = files_of(self.root)
        others = {path for path in now.keys() | self.files.keys() if now.get(path) != self.files.get(path)}
        for path in others:
            target = self.root / path
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            target.unlink(missing_ok=True)
            if path in self.files:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self.finished / path, target)
        for folder in self.root.iterdir():  # an empty one holds no file to tell of it
            if folder.is_dir() and not (self.finished / folder.name).exists() and folder.name != "logs":
                shutil.rmtree(folder)
        return others


def files_of(root: Path) -> dict[str, tuple]:
    """Size and time of each file, by path, but for what git, DVC and the log of seconds keep."""
    out = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in (".git", ".dvc", "logs", ".resume")]
        for name in names:
            stat = os.lstat(os.path.join(folder, name))
            out[os.path.relpath(os.path.join(folder, name), root)] = stat.st_size, stat.st_mtime_ns
    return out


def change(root: Path, changes: dict) -> None:
    """Change parameters, by key such as age.lr, and files, by path, which holds a slash.

    A file becomes a text, bytes, or what a function makes of its bytes; None takes it away. A path that ends with a slash is
    a folder.
    """
    files = {path: value for path, value in changes.items() if "/" in path}
    if params := {key: value for key, value in changes.items() if key not in files}:
        files["./params.yaml"] = lambda old: with_values(old, params)
    for path, value in files.items():
        target = root / path
        if callable(value):
            value = value(target.read_bytes())
        if target.is_dir() and not path.endswith("/"):
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True) if not path.endswith("/") else target.mkdir()
        if value is not None and not path.endswith("/"):
            target.write_bytes(value.encode() if isinstance(value, str) else value)


def with_values(params: bytes, changes: dict) -> bytes:
    """A params.yaml with other values, by keys such as age.lr."""
    values = yaml.safe_load(params)
    for key, value in changes.items():
        *path, last = key.split(".")
        section = values
        for part in path:
            section = section[part]
        section[last] = value
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True).encode()


def output_of(root: Path, command: str) -> tuple[int, str, str]:
    """Run a command, such as `stages.train age 0`, in a folder; returns its exit status, stdout and stderr.

    Raises what the command did not catch, where a user would see a traceback, and OutOfBounds.
    """
    module, *words = command.split()
    streams = [TextIOWrapper(BytesIO(), "utf-8", write_through=True) for _ in range(2)]
    for remembered in (tar.contents, parquet.starts_of, parquet.images_of):  # of the case before, by the same path
        remembered.cache_clear()
    with (pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(), redirect_stdout(streams[0]),
          redirect_stderr(streams[1]), limited(SECONDS, MEMORY)):
        warnings.simplefilter("ignore")  # that the module is imported already
        patch.chdir(root)
        patch.setattr(sys, "argv", [module, *words])
        patch.setattr(os, "execvp", None)  # whatever is wrong is said before another program takes over
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
            print(end.code if isinstance(end.code, str) else "", end="", file=streams[1])
    return status, *(stream.buffer.getvalue().decode() for stream in streams)
