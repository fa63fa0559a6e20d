"""Photos inside Parquet files, as Hugging Face's datasets saves them."""
import json
from hashlib import md5

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.core.errors import UserError
from tests.readers.files import LABELS, jpeg, photo, read


def save(path, words: list[str], classes: dict[str, list[str]] | None = None, plain: bool = False, **columns):
    """A shard of photos, with row groups of two rows. classes: names of columns that hold numbers (ClassLabel)."""
    images = [jpeg(word) if word else None for word in words]
    table = pa.table({"image": pa.array(images, pa.binary()) if plain else [
        {"bytes": data, "path": f"{word}.jpg"} for word, data in zip(words, images)], **columns})
    features = {name: {"names": names, "_type": "ClassLabel"} for name, names in (classes or {}).items()}
    if classes:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=2)


@pytest.mark.parametrize("plain", [False, True])
def test_each_row_is_a_photo_with_the_md5_of_its_bytes(tmp_path, plain, capsys):
    save(tmp_path / "data/train-00000-of-00002.parquet", ["a", "b", "c"], plain=plain, age=[31, None, 70],
         gender=["male", "F", None], mask=[0, 1, 2], person=["x", "x", "y"])
    save(tmp_path / "data/test-00000-of-00001.parquet", ["d"], plain=plain, age=[31], gender=["male"], mask=[0], person=["z"])
    photo(tmp_path / "loose.jpg")
    rows, unused = read(tmp_path)
    assert rows[["person", "part", *LABELS]].T.to_dict("list") == {
        "data/test-00000-of-00001.parquet/0": ["z", "eval", "", "", ""],
        "data/train-00000-of-00002.parquet/0": ["x", "train", "worn", "male", "31"],
        "data/train-00000-of-00002.parquet/1": ["x", "train", "incorrect", "female", ""],
        "data/train-00000-of-00002.parquet/2": ["y", "train", "bare", "", "70"]}
    assert rows.md5.tolist() == [md5(jpeg(word)).hexdigest() for word in "dabc"]
    assert unused == {"loose.jpg": "a photo outside the Parquet files"}
    printed = capsys.readouterr().out
    assert "no column part: by the names of files and folders, 3 photos to train on, 1 to label" in printed
    assert ("layout parquet (data/test-00000-of-00001.parquet, data/train-00000-of-00002.parquet with a column of images)"
            in printed)


def test_classes_saved_as_numbers_are_read_by_their_names(tmp_path, capsys):
    names = {"sex": ["Female", "Male"], "years": ["0-2", "3-9", "more than 70"]}
    save(tmp_path / "0000.parquet", ["a", "b", "c"], names, sex=[0, 1, -1], years=[2, 0, 1])
    rows, _ = read(tmp_path, gender="sex", age="years")
    assert rows[["gender", "age"]].values.tolist() == [["female", "70"], ["male", "1"], ["", "6"]]
    assert "no person is known of 3 photos" in capsys.readouterr().out


def test_a_folder_or_the_files_name_says_the_part_and_else_the_labels(tmp_path, capsys):
    save(tmp_path / "default/validation/0000.parquet", ["a"], age=[3])
    save(tmp_path / "default/test/0000.parquet", ["b"], age=[3])
    save(tmp_path / "more.parquet", ["c", "d"], age=[4, None])
    rows, _ = read(tmp_path)
    assert rows.part.tolist() == ["eval", "train", "train", "eval"]
    assert "no column part: 1 photo with a label to train on, 1 without any to label" in capsys.readouterr().out


def test_a_column_part_comes_before_the_name_of_the_file(tmp_path):
    save(tmp_path / "train-0.parquet", ["a", "b"], age=[3, 4], split=["train", "test"])
    assert read(tmp_path, part="split")[0].part.tolist() == ["train", "eval"]


def test_a_row_without_a_photo_has_its_place(tmp_path):
    save(tmp_path / "x.parquet", ["a", "", "c"], age=[1, 2, 3], person=["x", "y", "z"])
    rows, _ = read(tmp_path)
    assert rows.md5["x.parquet/1"] == md5(b"").hexdigest()


@pytest.mark.parametrize("columns, mapped, named", [
    ({"label": [1]}, {}, "x.parquet: no column mask, gender, age; there are label; say in data.columns which they are"),
    ({"age": [1]}, {"gender": "sex"}, "x.parquet: data.columns: gender: 'sex' is no column there; there are age"),
    ({"age": [1]}, {"photo": "picture"}, "x.parquet: its images are in image, and data.columns: photo: 'picture'"),
    ({"age": [1], "other": [b"x"]}, {}, "x.parquet: image, other may be images, {bytes, path} or bytes, and one must be"),
])
def test_columns_that_do_not_fit_are_named(tmp_path, columns, mapped, named):
    save(tmp_path / "x.parquet", ["a"], **columns)
    with pytest.raises(UserError) as error:
        read(tmp_path, "parquet", **mapped)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_parquet_is_named(tmp_path):
    save(tmp_path / "a.parquet", ["a"], age=[1])
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-9])
    with pytest.raises(UserError, match="b.parquet: not a Parquet file"):
        read(tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match="no Parquet file, which data.layout: parquet reads"):
        read(tmp_path / "none", "parquet")


@pytest.mark.parametrize("column", [
    pa.StringArray.from_buffers(1, pa.array([0, 1], pa.int32()).buffers()[1], pa.py_buffer(b"\xff")),
    pa.array([-2**61], pa.timestamp("us")),
])
@pytest.mark.parametrize("image", [True, False])
def test_a_column_that_no_text_can_be_made_of_is_named(tmp_path, column, image):
    photos = {"image": [jpeg("a")]} if image else {"photo": ["a.jpg"]}
    pq.write_table(pa.table({**photos, "age": [3], "taken": column}), tmp_path / "x.parquet")
    with pytest.raises(UserError, match=r"x.parquet: column taken cannot be read \("):
        read(tmp_path)


def test_notes_of_datasets_that_nest_too_deeply_say_nothing(tmp_path):
    pq.write_table(pa.table({"image": [jpeg("a")], "age": [3]}).replace_schema_metadata({"huggingface": "[" * 5000}),
                   tmp_path / "x.parquet")
    assert read(tmp_path)[0].age.tolist() == ["3"]
