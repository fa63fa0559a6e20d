"""Who is who: the MD5 of every photo, people where none is known, and photos that stand there twice."""
import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, groupby, islice
from pathlib import Path

import pandas as pd

from stages.core.errors import UserError
from stages.core.progress import progress
from stages.readers.names import photos
from stages.resume.hashes import md5s_of
from stages.shards.members import in_shard, read_bytes, shard_of

AT_ONCE, EACH = 1000, 50  # photos that threads are given at once, and that one of them reads in a row


def md5_of(path: Path) -> str:
    """The MD5 of a photo's bytes, also of one in a shard; raises UserError if it cannot be read."""
    try:
        if in_shard(path):
            return hashlib.md5(read_bytes(path), usedforsecurity=False).hexdigest()
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None


def with_md5(rows: pd.DataFrame, root: Path, workers: int, notes: Path) -> pd.DataFrame:
    """The rows, and the md5 of each photo, read by so many threads, or noted by an earlier run in stages/resume/hashes.py's
    file."""
    with ThreadPoolExecutor(max(1, workers)) as pool:
        def read(paths: Iterable[Path]) -> Iterator[str]:
            paths = iter(paths)
            while part := list(islice(paths, AT_ONCE)):  # all at once would make a gigabyte of tasks a million
                rows = (part[first:first + EACH] for first in range(0, len(part), EACH))
                yield from chain.from_iterable(pool.map(lambda row: [md5_of(path) for path in row], rows))

        digests = md5s_of(batches(rows.photo, root), read, notes)
        return rows.assign(md5=list(progress(digests, "reading", len(rows))))


def batches(names: Iterable[str], root: Path) -> Iterator[list[tuple[Path, list[str]]]]:
    """A batch for each shard, with the names of its photos, and for each AT_ONCE photos that are files of their own."""
    shards: dict[str, Path | None] = {}  # by folder, since a million paths take seconds

    def shard_above(name: str) -> Path | None:
        folder = name.rpartition("/")[0]
        if folder not in shards:
            shards[folder] = shard_of(root / name)
        return shards[folder]

    for shard, photos_of in groupby(names, shard_above):
        if shard is not None:
            start = len(shard.relative_to(root).as_posix()) + 1
            yield [(shard, [name[start:] for name in photos_of])]
        else:
            while part := list(islice(photos_of, AT_ONCE)):
                yield [(root / name, [""]) for name in part]


def with_people(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, whose photos to train on have each a person: without one, the photo that first has the same bytes.

    Prints how many people that makes, and which photos stand there twice.
    """
    train = rows.part == "train"
    unknown = rows[train & (rows.person == "")]
    first = unknown.drop_duplicates("md5").set_index("md5").photo
    rows = rows.assign(person=rows.person.where(~rows.index.isin(unknown.index), rows.md5.map(first)))
    if len(unknown):
        copies = len(unknown) - len(first)
        print(f"  no person is known of {photos(len(unknown))} to train on: each is a person of its own"
              + (f", but for {copies} with the same bytes as another, which are one person with it" if copies else ""))
    twofold = rows[train].groupby("md5").person.nunique()
    if len(twofold := twofold.index[twofold > 1]):
        pair = rows[train & (rows.md5 == twofold[0])].drop_duplicates("person").photo
        print(f"  {photos(len(twofold))} under two people, by the bytes, such as {pair.iloc[0]} and {pair.iloc[1]}; folds leak "
              "unless they get one name")
    known = set(rows.md5[train])
    if both := sum(md5 in known for md5 in rows.md5[~train]):
        print(f"  {photos(both)} to label with the same bytes as one to train on")
    return rows
