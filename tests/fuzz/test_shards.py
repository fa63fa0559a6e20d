"""Whatever is called a tar archive or a Parquet file, its photos are read or refused."""
import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.core.classes import CONTEST
from stages.core.errors import UserError
from stages.core.files import write_csv
from stages.core.params import Data
from stages.readers.layouts import read_photos
from stages.shards import parquet as parquet_shards
from stages.shards import tar
from stages.shards.members import read_bytes
from tests.fuzz.bounds import bounded, fuzzed
from tests.fuzz.made import damaged, readable, texts
from tests.readers.files import jpeg

LABELS = {"gender": "male", "age": 25}


def archive(files: list[tuple[str, bytes]], kind=tarfile.PAX_FORMAT, **entry) -> bytes:
    """A tar archive of files; entry: attributes of their entries."""
    with tarfile.open(fileobj=(out := io.BytesIO()), mode="w", format=kind) as out_tar:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in entry.items():
                setattr(info, key, value)
            try:
                out_tar.addfile(info, io.BytesIO(data))
            except (ValueError, UnicodeError):  # a name that this kind of archive cannot hold
                pass
    return out.getvalue()


def parquet(**columns) -> bytes:
    pq.write_table(pa.table(columns), out := io.BytesIO())
    return out.getvalue()


TAR = archive([("a.jpg", jpeg("a")), ("a.json", json.dumps(LABELS).encode()), ("b.jpg", jpeg("b")), ("b.age", b"61")])
PARQUET = parquet(image=[{"bytes": jpeg(word), "path": word} for word in "abc"], gender=["male", "female", None], age=[25, 61,
                                                                                                                       34])


def read(root: Path, name: str, data: bytes, layout: str = "auto", columns=None) -> None:
    """Read the photos of a folder with one shard, and the bytes of each, and write their table, as the stage index does."""
    root.mkdir(exist_ok=True)
    shard = root / name
    shard.write_bytes(data)
    tar.contents.cache_clear()  # the shard before had the same name
    parquet_shards.starts_of.cache_clear()
    parquet_shards.images_of.cache_clear()
    try:
        with bounded(UserError):
            rows, _ = read_photos(root, Data(root=str(root), layout=layout, table=None, columns=columns or {}), CONTEST)
            write_csv(rows, root.parent / "rows.csv")
            for photo in rows.photo:
                with bounded(OSError):
                    read_bytes(root / photo)
    finally:
        shard.unlink()


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("shards") / "root"


values = (st.none() | st.booleans() | st.integers() | st.floats() | texts | st.lists(st.integers(), max_size=2)
          | st.sampled_from(["male", "female", "train", "eval", "anna", 25, 61, "worn", 10**400, 1e308]))
labels = st.dictionaries(st.sampled_from(["gender", "age", "mask", "person", "part", "photo", "refused"]) | texts, values,
                         max_size=5)


@fuzzed
@given(data=damaged(TAR) | st.binary(max_size=600))
def test_a_damaged_archive(root, data):
    read(root, "a.tar", data, "tar")


@fuzzed
@given(names=st.lists(texts | st.sampled_from(["a.jpg", "b/a.jpg", "./a.jpg", "a.json", "a.cls", ".a.jpg", "a.jpg/",
                                               "a.tar/b.jpg"]), max_size=5),
       kind=st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT]),
       entry=st.fixed_dictionaries({}, optional={"type": st.sampled_from([*tarfile.SUPPORTED_TYPES]),
                                                 "size": st.sampled_from([-1, 0, 1, 2**40]),
                                                 "linkname": texts}))
def test_an_archive_of_any_names_and_kinds(root, names, kind, entry):
    try:
        data = archive([(name, jpeg("a")) for name in ["a.jpg", *names]], kind, **entry)
    except Exception:  # noqa: BLE001 what cannot be written
        return
    read(root, "a.tar", data + archive([("z.jpg", jpeg("z")), ("z.age", b"25")]), "tar")


@fuzzed
@given(told=labels.map(json.dumps) | st.text(max_size=20).map(readable) | st.sampled_from(
    ["[" * 5000, '{"age": ' * 5000, '{"age": ' + "9" * 5000 + "}", '{"age": NaN}', '{"age": 1e999}', '{"age": "\\ud800"}',
     "[]", "3", '"x"', "null"]),
       age=st.binary(max_size=8) | st.sampled_from([b"25", b"-1", b"\xff", b"\xef\xbb\xbf25\n", b"9" * 5000]))
def test_labels_of_any_kind_in_an_archive(root, told, age):
    files = [(f"{name}.jpg", jpeg(name)) for name in "abcd"]
    files += [("a.json", told.encode()), ("b.age", age), ("c.age", b"25"), ("d.json", b'{"gender": "male"}')]
    read(root, "a.tar", archive(files))


@fuzzed
@given(data=damaged(PARQUET) | st.binary(max_size=300) | st.binary(max_size=100).map(lambda middle: b"PAR1" + middle + b"PAR1"))
def test_a_damaged_parquet_file(root, data):
    read(root, "a.parquet", data, "parquet")


COLUMNS = [[25, 61, None], ["male", "female", ""], [25.0, float("nan"), 1e300], [True, None, False], [[1], [2, 3], None],
           [{"a": 1}] * 3,
           [b"\xff", b"", None], [jpeg("a")] * 3, [None] * 3, pa.array([1, 2, 3], pa.date32()), pa.array([1, 2, 3],
                                                                                                         pa.timestamp("s",
                                                                                                                      "Asia/Seoul")),
           pa.array([1, 2, 3], pa.time64("ns")), pa.array([2**62, 0, -1], pa.timestamp("ns")), pa.array([2**52, 0, -1],
                                                                                                        pa.timestamp("s")),
           pa.array([1, 2, 3], pa.duration("s")), pa.array(["a", "b", "a"]).dictionary_encode(), pa.array([1, 2, 3],
                                                                                                          pa.decimal128(38, 2)),
           pa.array([1, 2, 3], pa.uint64()), pa.array([b"a", b"b", b"c"], pa.large_binary()), pa.array([[(1, 2)]] * 3,
                                                                                                       pa.map_(pa.int8(),
                                                                                                               pa.int8())),
           pa.array([b"abc", b"def", b"ghi"], pa.binary(3)), ["a\nb", "\0", "x" * 3000],
           pa.StringArray.from_buffers(3, pa.array([0, 1, 2, 3], pa.int32()).buffers()[1], pa.py_buffer(b"\xff\xfe\xfd"))]


@fuzzed
@given(columns=st.dictionaries(st.sampled_from(["image", "gender", "age", "mask", "person", "part", "photo"])
                               | texts.map(readable),
                               st.sampled_from(COLUMNS), min_size=1, max_size=5),
       layout=st.sampled_from(["parquet", "auto", "table"]),
       features=st.none() | st.sampled_from([b"{", b"[]",
                                             b'{"info": {"features": {"gender": {"_type": "ClassLabel", "names": ["a", 3]}}}}',
                                             b'{"info": {"features": {"gender": {"_type": "ClassLabel", "names": "ab"}}}}',
                                             b"\xff",
                                             b'{"info": {"features": []}}', b"[" * 5000]))
def test_columns_of_any_type_in_a_parquet_file(root, columns, layout, features):
    table = pa.table(columns).replace_schema_metadata({b"huggingface": features} if features else None)
    pq.write_table(table, out := io.BytesIO())
    read(root, "a.parquet", out.getvalue(), layout)
