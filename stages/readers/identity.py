"""Who is who: the MD5 of every photo, people where none is known, and photos that stand there twice."""
import hashlib
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pandas as pd

from stages.core.errors import UserError
from stages.core.progress import progress
from stages.readers.names import photos
from stages.shards.members import in_shard, read_bytes

AT_ONCE = 1000  # photos


def md5_of(path: Path) -> str:
    """The MD5 of a photo's bytes, also of one in a shard; raises UserError if it cannot be read."""
    try:
        if in_shard(path):
            return hashlib.md5(read_bytes(path), usedforsecurity=False).hexdigest()
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None


def with_md5(rows: pd.DataFrame, root: Path, workers: int) -> pd.DataFrame:
    """The rows, and the md5 of each photo, read by so many threads."""
    with ThreadPoolExecutor(max(1, workers)) as pool:  # of all photos at once it would make a gigabyte of tasks a million
        parts = (rows.photo[first:first + AT_ONCE] for first in range(0, len(rows), AT_ONCE))
        digests = chain.from_iterable(pool.map(md5_of, map(root.joinpath, part)) for part in parts)
        return rows.assign(md5=list(progress(digests, "reading", len(rows))))


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
    if both := int(rows.md5[~train].isin(set(rows.md5[train])).sum()):
        print(f"  {photos(both)} to label with the same bytes as one to train on")
    return rows
