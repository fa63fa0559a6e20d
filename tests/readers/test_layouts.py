"""A layout is told by what lies there, never silently and never where two fit."""
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.core.errors import UserError
from tests.readers.files import jpeg, photo, read
from tests.readers.test_tar import save


def make(root, layout: str) -> None:
    """Some photos in a layout."""
    if layout == "table":
        photo(root / "t/a.jpg")
        (root / "labels.csv").write_text("photo,age,part\nt/a.jpg,3,train\n")
    elif layout == "contest":
        photo(root / "train/images/ann/mask1.jpg")
        photo(root / "eval/images/b.jpg")
        (root / "train/train.csv").write_text("id,gender,age,path\n1,male,20,ann\n")
        (root / "eval/info.csv").write_text("ImageID\nb.jpg\n")
    elif layout == "utkface":
        photo(root / "u/20_1_2_1.jpg")
    elif layout == "fairface":
        photo(root / "train/1.jpg")
        (root / "fairface_label_train.csv").write_text("file,age,gender\ntrain/1.jpg,3-9,Male\n")
    elif layout == "imdb":
        photo(root / "00/nm1_rm2_1950-1-1_2000.jpg")
        (root / "imdb_train_new.csv").write_text("filename,age,gender\n00/nm1_rm2_1950-1-1_2000.jpg,50,M\n")
    elif layout == "folders":
        photo(root / "male/a.jpg")
    elif layout == "parquet":
        pq.write_table(pa.table({"image": [{"bytes": jpeg("a"), "path": None}], "age": [3]}), root / "x.parquet")
    else:
        save(root / "x.tar", **{"a.jpg": jpeg("a"), "a.age": "3"})


LAYOUTS = ["contest", "table", "fairface", "imdb", "parquet", "tar", "utkface", "folders"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_told_by_what_lies_there_and_said(tmp_path, layout, capsys):
    make(tmp_path, layout)
    rows, unused = read(tmp_path)
    assert (rows.part == "train").sum() == 1
    assert not unused
    assert f"{tmp_path}: layout {layout} (" in capsys.readouterr().out


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_that_is_named_reads_the_same(tmp_path, layout, capsys):
    make(tmp_path, layout)
    assert read(tmp_path, layout)[0].equals(read(tmp_path)[0])
    assert f"layout {layout} (data.layout)" in capsys.readouterr().out


@pytest.mark.parametrize("one, other", [*((one, other) for i, one in enumerate(LAYOUTS[:6]) for other in LAYOUTS[i + 1:6]),
                                        ("utkface", "folders")])
def test_two_layouts_that_fit_are_both_named_with_the_parameter(tmp_path, one, other):
    make(tmp_path, one)
    make(tmp_path, other)
    with pytest.raises(UserError, match=rf"may be {one} \(.*\), or {other} \(.*\); say which in data.layout"):
        read(tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS[:6])
def test_a_file_of_a_layout_says_more_than_the_names_of_folders(tmp_path, layout, capsys):
    make(tmp_path, layout)
    for i in range(9):
        photo(tmp_path / f"male/{i}.jpg")
    read(tmp_path)
    assert f"layout {layout} (" in capsys.readouterr().out


def test_a_table_that_is_named_or_a_layout_ends_the_doubt(tmp_path, capsys):
    make(tmp_path, "table")
    make(tmp_path, "tar")
    assert list(read(tmp_path, table="labels.csv")[0].index) == ["t/a.jpg"]
    assert list(read(tmp_path, "tar")[0].index) == ["x.tar/a.jpg"]
    assert "layout table (data.table)" in capsys.readouterr().out


def test_two_tables_are_named(tmp_path):
    make(tmp_path, "table")
    (tmp_path / "more.csv").write_text("photo,age\nt/a.jpg,3\n")
    with pytest.raises(UserError, match="labels.csv and more.csv with a column of photos; name the table in data.table"):
        read(tmp_path)


def test_a_table_is_told_by_the_column_that_data_columns_names(tmp_path):
    photo(tmp_path / "t/a.jpg")
    (tmp_path / "labels.csv").write_text("File,age\nt/a.jpg,3\n")
    assert list(read(tmp_path, photo="file")[0].index) == ["t/a.jpg"]


def test_columns_are_no_use_to_a_layout_without_any(tmp_path):
    make(tmp_path, "folders")
    with pytest.raises(UserError, match=re.escape("1 files, and no layout of photos fits them that reads data.columns")):
        read(tmp_path, age="years")


@pytest.mark.parametrize("hidden", [".git/x.tar", "._x.tar", ".train/train.csv"])
def test_hidden_files_tell_nothing(tmp_path, hidden):
    make(tmp_path, "folders")
    (tmp_path / hidden).parent.mkdir(exist_ok=True)
    (tmp_path / hidden).write_bytes(b"")
    rows, unused = read(tmp_path)
    assert list(rows.index) == ["male/a.jpg"]
    assert unused == {hidden: "junk: the name starts with a dot"}


@pytest.mark.parametrize("name", ["\udcff.jpg", "\udcff.tar", "\udcff.parquet", "\udcff/c.jpg"])
@pytest.mark.parametrize("layout", ["folders", "tar", "parquet"])
def test_a_name_that_is_no_text_is_left_out(tmp_path, name, layout):
    make(tmp_path, layout)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"")
    rows, unused = read(tmp_path, layout)
    assert len(rows)
    assert unused[name] == "its name is not UTF-8"


def test_an_empty_folder_has_no_layout_and_a_missing_one_is_named(tmp_path):
    with pytest.raises(UserError, match="data.root: '.*nowhere' is no folder"):
        read(tmp_path / "nowhere")
    with pytest.raises(UserError, match="0 files, and no layout of photos fits them; write a table of them, or set"):
        read(tmp_path)
    (tmp_path / "people.csv").write_text("file,age\na.jpg,3\n")
    with pytest.raises(UserError, match="1 files, .*; name the column of photos of people.csv in data.columns, or set"):
        read(tmp_path)
