"""What lies in DVC's cache, whether it is whole, and who names it: an object's name is the MD5 of its content."""
import hashlib
import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.tree import Tree
from dvc_objects.errors import ObjectFormatError

from stages.core.errors import UserError
from stages.core.progress import progress, say

NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{30}(\.dir)?")
MB = 1_000_000


@dataclass(frozen=True)
class Place:
    """Where an object belongs in the workspace."""
    stage: str  # as `dvc repro` takes it; data/mine.dvc for what `dvc add` keeps
    path: Path  # absolute; the folder, for the list of a folder's files
    again: bool  # whether the stage has a command that makes it again

    def __str__(self):
        return f"{os.path.relpath(self.path)} of {self.stage}"


def open_repo() -> Repo:
    """The project in the working folder; raises UserError if there is none."""
    try:
        return Repo()
    except DvcException as error:
        raise UserError(f"{Path.cwd()}: {' '.join(str(error).split())}") from None


def find_objects(folder: Path) -> dict[str, Path]:
    """The files of a cache by the MD5 that their name says; a list of a folder's files ends in .dir."""
    found = {}
    for path in sorted(folder.glob("??/*")):
        if NAME.fullmatch(path.relative_to(folder).as_posix()):
            found[path.parent.name + path.name] = path
    return found


def outs(repo: Repo) -> list:
    """What dvc.lock and *.dvc files name, and DVC's cache keeps; raises UserError if dvc.yaml or a lock cannot be read."""
    try:
        return [out for out in repo.index.outs if out.use_cache and out.hash_info and out.hash_info.name == "md5"]
    except DvcException as error:
        raise UserError(" ".join(str(error).split())) from None


def named(repo: Repo, whole: set[str]) -> dict[str, list[Place]]:
    """Where each object belongs, by MD5. The files of a folder are known where the list of them is in `whole`."""
    places: dict[str, list[Place]] = {}
    for out in outs(repo):
        name, stage, again = out.hash_info.value, out.stage.addressing, bool(out.stage.cmd)
        places.setdefault(name, []).append(Place(stage, Path(out.fs_path), again))
        if name in whole and out.hash_info.isdir:
            try:
                for parts, _, member in Tree.load(repo.cache.local, out.hash_info):
                    places.setdefault(member.value, []).append(Place(stage, Path(out.fs_path, *parts), again))
            except (ObjectFormatError, KeyError, TypeError, AttributeError):
                raise UserError(f"{os.path.relpath(repo.cache.local.oid_to_path(name))}: no list of files, although its MD5 "
                                f"is right; run {stage} again") from None
    return places


def digest(path: Path) -> str:
    """The MD5 of a file, or why it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    except OSError as error:
        return f"it cannot be read: {error.strerror}"


def hash_files(paths: list[Path], title: str) -> dict[Path, str]:
    """MD5 of each file, or why it cannot be read, by threads; prints the rate in MB/s."""
    sizes = {path: path.stat().st_size if path.exists() else 0 for path in paths}
    found, started = {}, time.monotonic()

    def megabytes() -> Iterator[int]:
        done = 0
        with ThreadPoolExecutor() as pool:
            jobs = {pool.submit(digest, path): path for path in paths}
            for job in as_completed(jobs):
                found[jobs[job]] = job.result()
                before, done = done, done + sizes[jobs[job]]
                yield from range(before // MB, done // MB)

    for _ in progress(megabytes(), title, sum(sizes.values()) // MB, "MB", summary=False):
        pass
    took, total = time.monotonic() - started, sum(sizes.values()) / MB
    say(f"{title}: {len(paths)} files, {total:.1f} MB in {took:.1f} s, {total / max(took, 1e-3):.0f} MB/s")
    return found
