"""A photo in a shard decodes to what the file gives by itself, from any thread and in any order, and nothing is kept."""
import hashlib
import io
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.core.errors import UserError
from stages.shards import parquet, tar
from stages.shards.members import in_shard, read_bytes
from stages.shards.photos import read_or_reason, read_photos
from tests.readers.files import jpeg

WORDS = [f"photo {i}" for i in range(40)]


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """The same photos as files, in a tar archive, and in a Parquet file of row groups of 10 rows. Their paths, by kind."""
    root, data = tmp_path_factory.mktemp("shards"), [jpeg(word) for word in WORDS]
    for i, photo in enumerate(data):
        (root / f"{i}.jpg").write_bytes(photo)
    with tarfile.open(root / "x.tar", "w") as archive:
        for i, photo in enumerate(data):
            (entry := tarfile.TarInfo(f"deep/{i}.jpg")).size = len(photo)
            archive.addfile(entry, io.BytesIO(photo))
    pq.write_table(pa.table({"image": [{"bytes": photo, "path": ""} for photo in data], "age": range(40)}), root / "s.parquet",
                   row_group_size=10)
    pq.write_table(pa.table({"jpg": pa.array(data, pa.large_binary())}), root / "b.parquet", row_group_size=10)
    return {"file": [root / f"{i}.jpg" for i in range(40)], "tar": [root / f"x.tar/deep/{i}.jpg" for i in range(40)],
            "struct": [root / f"s.parquet/{i}" for i in range(40)], "bytes": [root / f"b.parquet/{i}" for i in range(40)]}


def any_bytes(files: list[Path]) -> list[tuple[Path, str]]:
    """The files as photos whose MD5 nobody noted."""
    return [(file, "") for file in files]


@pytest.mark.parametrize("kind", ["tar", "struct", "bytes"])
def test_a_photo_in_a_shard_is_that_of_the_file(shards, kind):
    assert all(map(in_shard, shards[kind]))
    assert not any(map(in_shard, shards["file"]))
    assert [read_bytes(path) for path in shards[kind]] == [path.read_bytes() for path in shards["file"]]
    for one, other in zip(read_photos(any_bytes(shards[kind]), 3), read_photos(any_bytes(shards["file"]), 0), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", ["tar", "struct", "bytes"])
def test_threads_may_read_in_any_order(shards, kind):
    order = np.random.default_rng(0).permutation(400) % 40
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: read_bytes(shards[kind][i]), order))
    assert found == [jpeg(WORDS[i]) for i in order]


def test_memory_stays_flat_however_many_shards_there_are(shards):
    """Only so many row groups and lists of files are kept."""
    for kind in ("tar", "struct", "bytes"):
        for path in shards[kind]:
            read_bytes(path)
    assert parquet.images_of.cache_info().currsize <= 2
    assert tar.contents.cache_info().currsize <= 4


def test_a_row_group_is_read_once_for_all_threads(shards):
    parquet.images_of.cache_clear()
    list(read_photos(any_bytes(shards["struct"]), 2))  # nine photos are under way at once, of two groups at most
    assert parquet.images_of.cache_info().misses == 4


@pytest.mark.parametrize("name, reason", [
    ("x.tar/9.jpg", "9.jpg is not in"), ("s.parquet/40", "has 40 rows, and no row 40"), ("s.parquet/-1", "no row -1"),
    ("s.parquet/a", "invalid literal"), ("nowhere/a.jpg", "no such file")])
def test_a_photo_that_is_not_there_has_a_reason(shards, name, reason):
    assert reason in read_or_reason(shards["file"][0].parent / name).lower().replace("no row a", "")


def test_a_photo_in_a_shard_that_is_damaged_has_a_reason(tmp_path):
    pq.write_table(pa.table({"image": pa.array([b"no photo", None], pa.binary())}), tmp_path / "x.parquet")
    assert read_or_reason(tmp_path / "x.parquet/0") == "not an image"
    assert read_or_reason(tmp_path / "x.parquet/1") == "an empty file"
    (tmp_path / "y.parquet").write_bytes(b"PAR1 and no more")
    assert "y.parquet" in read_or_reason(tmp_path / "y.parquet/0")


@pytest.mark.parametrize("kind", ["file", "tar", "struct"])
def test_a_photo_that_changed_since_it_was_indexed_is_refused(shards, kind):
    path = shards[kind][7]
    md5 = hashlib.md5(jpeg(WORDS[7])).hexdigest()
    np.testing.assert_array_equal(read_or_reason(path, md5), read_or_reason(path))
    with pytest.raises(UserError, match=f"^{path}: changed since it was indexed; run dvc repro --force --single-item index"):
        read_or_reason(path, md5[::-1])


def test_a_folder_of_an_archives_name_is_a_folder(tmp_path):
    (tmp_path / "x.tar").mkdir()
    (tmp_path / "x.tar/a.jpg").write_bytes(jpeg("a"))
    assert not in_shard(tmp_path / "x.tar/a.jpg")
    assert isinstance(read_or_reason(Path(tmp_path / "x.tar/a.jpg")), np.ndarray)
