"""Whatever stands in a table, it is read or refused."""
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.core.classes import CONTEST
from stages.core.errors import UserError
from stages.core.files import read_csv
from stages.core.params import Data
from stages.labels import read_corrections, read_pseudo
from stages.readers.layouts import read_photos
from stages.split import read_pairs
from tests.fuzz.bounds import bounded, fuzzed
from tests.fuzz.made import cells, damaged, readable, tables, texts
from tests.readers.files import photo
from tests.sections import section
from tools.score import score_files

LABELS = ["photo", "person", "mask", "gender", "age", "part"]
WHOLE = b"photo,person,mask,gender,age,part\na.jpg,anna,worn,female,25,train\nb.jpg,ben,bare,male,61,eval\n"
ANSWERS = b"ImageID,ans\na.jpg,0\nb.jpg,17\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A folder of two photos."""
    folder = tmp_path_factory.mktemp("photos")
    for name in ("a.jpg", "b.jpg"):
        photo(folder / name)
    return folder


def read_one(root: Path, name: str, data: bytes, layout: str, **columns) -> None:
    """Read the photos of a folder by a table of these bytes."""
    table = root / name
    table.write_bytes(data)
    try:
        with bounded(UserError):
            read_photos(root, Data(root=str(root), layout=layout, table=None, columns=columns), CONTEST)
    finally:
        table.unlink()


@fuzzed
@given(data=tables(LABELS) | damaged(WHOLE) | st.binary(max_size=200), layout=st.sampled_from(["auto", "table"]))
def test_a_table_of_photos(root, data, layout):
    read_one(root, "labels.csv", data, layout)


@fuzzed
@given(data=tables(["file", "years", "sex"]), theirs=texts.map(readable))
def test_a_table_whose_columns_are_named(root, data, theirs):
    read_one(root, "labels.csv", data, "table", photo="file", age="years", gender=theirs or "sex")


@fuzzed
@given(data=tables(["file", "age", "gender", "race"]))
def test_a_table_of_fairface(root, data):
    read_one(root, "fairface_label_train.csv", data, "fairface")


@fuzzed
@given(data=tables(["filename", "age", "gender"]))
def test_a_table_of_imdb(root, data):
    read_one(root, "imdb_train_new.csv", data, "imdb")


@fuzzed
@given(train=tables(["id", "gender", "race", "age", "path"]), info=tables(["ImageID", "ans"]))
def test_the_contests_tables(tmp_path_factory, train, info):
    root = tmp_path_factory.mktemp("contest")
    for name in ("train/images/anna/normal.jpg", "eval/images/a.jpg"):
        photo(root / name)
    (root / "train/train.csv").write_bytes(train)
    (root / "eval/info.csv").write_bytes(info)
    with bounded(UserError):
        read_photos(root, Data(root=str(root), layout="contest", table=None, columns={}), CONTEST)


def read_as(read, folder: Path, data: bytes, *rest) -> None:
    file = folder / "table.csv"
    file.write_bytes(data)
    with bounded(UserError):
        read(str(file), *rest)


@fuzzed
@given(data=tables(["person", "attribute", "old", "new", "source", "photo"]))
def test_corrections(root, data):
    read_as(read_corrections, root.parent, data, CONTEST)


@fuzzed
@given(data=tables(["photo", "label"]))
def test_pseudo_labels(root, data, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root.parent)
        Path("data").mkdir(exist_ok=True)
        Path("data/photos.csv").write_text("photo,part\na.jpg,eval\nb.jpg,train\n")
        read_as(read_pseudo, root.parent, data, "age", section("age"))


@fuzzed
@given(data=tables(["person_a", "person_b"]))
def test_groups(root, data):
    read_as(read_pairs, root.parent, data, {"anna", "ben"})


@fuzzed
@given(one=tables(["ImageID", "ans"]) | damaged(ANSWERS), two=damaged(ANSWERS) | st.just(ANSWERS))
def test_the_scorer(root, one, two):
    (root.parent / "other.csv").write_bytes(two)
    read_as(score_files, root.parent, one, str(root.parent / "other.csv"))


@fuzzed
@given(data=st.lists(cells, max_size=40).map(lambda words: "\n".join(words).encode("utf-8", "replace"))
       | st.binary(max_size=300))
def test_what_may_be_no_table(root, data):
    read_as(read_csv, root.parent, data, ["photo"])
