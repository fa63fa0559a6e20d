"""WebDataset's archives: photos with their labels beside them; whatever else is in there is named."""
import gzip
import io
import json
import os
import subprocess
import tarfile
from hashlib import md5

import pytest

from stages.core.errors import UserError
from tests.readers.files import LABELS, jpeg, read


def save(path, **files):
    """An archive of files: name to bytes, text, or labels for JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else (
                content if isinstance(content, str) else json.dumps(content)).encode()
            (entry := tarfile.TarInfo(name)).size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def test_each_photo_has_the_labels_of_the_json_beside_it_and_the_md5_of_its_bytes(tmp_path, capsys):
    save(tmp_path / "train-000000.tar", **{
        "a.jpg": jpeg("a"), "a.json": {"mask": "worn", "gender": "F", "age": 31, "id": 7}, "more/b.png": jpeg("b"),
        "more/b.json": {"mask": 2, "gender": None, "age": 20.0, "id": 8}})
    save(tmp_path / "test-000000.tar", **{"c.jpg": jpeg("c"), "c.json": {"age": 3, "id": 9}})
    rows, unused = read(tmp_path, person="id")
    assert rows[["person", "part", *LABELS]].T.to_dict("list") == {
        "test-000000.tar/c.jpg": ["9", "eval", "", "", ""],
        "train-000000.tar/a.jpg": ["7", "train", "worn", "female", "31"],
        "train-000000.tar/more/b.png": ["8", "train", "bare", "", "20"]}
    assert rows.md5.tolist() == [md5(jpeg(word)).hexdigest() for word in "cab"]
    assert not unused
    assert "layout tar (test-000000.tar, train-000000.tar)" in capsys.readouterr().out


def test_small_files_of_text_are_columns_by_their_endings(tmp_path):
    save(tmp_path / "x.tar", **{"a.jpg": jpeg("a"), "a.cls": "1\n", "a.age": "33", "b.jpg": jpeg("b"), "b.cls": "0"})
    assert read(tmp_path, gender="cls")[0][["gender", "age"]].values.tolist() == [["female", "33"], ["male", ""]]


@pytest.mark.parametrize("told", ['{"age": "\\ud800"}', '{"\\ud800": 3}', "[" * 5000, '{"age": ' + "9" * 5000 + "}"])
def test_a_photo_whose_json_is_no_text_is_refused(tmp_path, told):
    save(tmp_path / "x.tar", **{f"{name}.jpg": jpeg(name) for name in "abc"}, **{"a.json": told, "b.age": "5", "c.age": "6"})
    rows, unused = read(tmp_path)
    assert rows.index.tolist() == ["x.tar/b.jpg", "x.tar/c.jpg"]
    assert unused["x.tar/a.jpg"] == "a.json beside it is no JSON object, or not UTF-8"


def test_counts_in_equal_counts_out(tmp_path, capsys):
    save(tmp_path / "x.tar", **{
        "./a.jpg": jpeg("a"), "./a.json": {"age": 1}, "a.seg.png": jpeg("s"), "a.png": jpeg("a2"), "._a.jpg": b"",
        "notes.md": "x", "lonely.json": {"age": 5}, "b.jpg": jpeg("b"), "b.json": "[1]",
        "c.jpg": jpeg("c"), "c.json": {"age": 8}, "d.jpg": jpeg("d"), "d.json": {"age": 8},
        "../out.jpg": jpeg("o"), "/etc/abs.jpg": jpeg("o")})
    (tmp_path / "readme.md").write_text("")
    rows, unused = read(tmp_path)
    assert rows.index.tolist() == ["x.tar/a.jpg", "x.tar/c.jpg", "x.tar/d.jpg"]
    assert unused == {
        "x.tar/a.seg.png": "neither a photo nor its labels", "x.tar/a.png": "a second photo of a",
        "x.tar/._a.jpg": "junk: the name starts with a dot", "x.tar/notes.md": "neither a photo nor its labels",
        "x.tar/lonely.json": "no photo of this name beside it",
        "x.tar/b.jpg": "b.json beside it is no JSON object, or not UTF-8",
        "x.tar/../out.jpg": "its name leads out of the archive", "x.tar//etc/abs.jpg": "its name leads out of the archive",
        "readme.md": "not a photo: the name ends with none of .jpg .jpeg .png .webp .bmp"}
    assert "1 photo refused of 4 to train on" in capsys.readouterr().out


def test_a_long_file_is_no_label(tmp_path):
    save(tmp_path / "x.tar", **{"a.jpg": jpeg("a"), "a.json": {"age": 1}, "b.jpg": jpeg("b"),
                                "b.json": {"age": 2, "x": "y" * 10**5}, "c.jpg": jpeg("c"), "c.json": {"age": 3}})
    assert read(tmp_path)[1] == {"x.tar/b.json": "neither a photo nor its labels"}


def test_a_file_with_holes_is_left_out(tmp_path):
    """GNU tar leaves the holes out, so its bytes are not those of the file."""
    (tmp_path / "b.jpg").write_bytes(jpeg("b"))
    os.truncate(tmp_path / "b.jpg", 10**6)
    (tmp_path / "a.jpg").write_bytes(jpeg("a"))
    (tmp_path / "a.age").write_text("3")
    (tmp_path / "in").mkdir()
    subprocess.run(["tar", "-cSf", "in/x.tar", "a.jpg", "a.age", "b.jpg"], cwd=tmp_path, check=True)
    rows, unused = read(tmp_path / "in")
    assert list(rows.index) == ["x.tar/a.jpg"]
    assert unused == {"x.tar/b.jpg": "a link, a device or a file with holes"}


def test_links_in_an_archive_are_left_out(tmp_path):
    save(tmp_path / "x.tar", **{"a.jpg": jpeg("a"), "a.json": {"age": 1}})
    with tarfile.open(tmp_path / "x.tar", "a") as archive:
        for name, kind in (("b.jpg", tarfile.SYMTYPE), ("c.jpg", tarfile.LNKTYPE), ("d.jpg", tarfile.FIFOTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
    rows, unused = read(tmp_path)
    assert len(rows) == 1
    assert set(unused.values()) == {"a link, a device or a file with holes"}
    assert len(unused) == 3


def test_a_damaged_a_cut_off_and_a_compressed_archive_are_named(tmp_path):
    save(tmp_path / "x.tar", **{"a.jpg": jpeg("a") * 99, "a.json": {"age": 1}})
    whole = (tmp_path / "x.tar").read_bytes()
    for content in (b"no archive" * 99, whole[:-14_000], gzip.compress(whole)):
        (tmp_path / "x.tar").write_bytes(content)
        with pytest.raises(UserError, match="x.tar is no whole, uncompressed tar archive"):
            read(tmp_path)


def test_a_name_that_stands_twice_is_named(tmp_path):
    save(tmp_path / "x.tar", **{"a.jpg": jpeg("a"), "./a.jpg": jpeg("b"), "a.json": {"age": 1}})
    with pytest.raises(UserError, match="a.jpg stands twice in .*x.tar"):
        read(tmp_path)


@pytest.mark.parametrize("mapped, named", [
    ({}, "no column mask, gender, age; there are photo, cls"),
    ({"gender": "sex"}, "data.columns: gender: 'sex' is no column there; there are photo, cls"),
    ({"photo": "jpg"}, "data.columns: photo: 'jpg': photos in a tar archive are its files; leave it out")])
def test_columns_that_do_not_fit_are_named(tmp_path, mapped, named):
    save(tmp_path / "x.tar", **{"a.jpg": jpeg("a"), "a.cls": "1"})
    with pytest.raises(UserError) as error:
        read(tmp_path, **mapped)
    assert named in str(error.value)


def test_an_archive_without_photos_is_named(tmp_path):
    save(tmp_path / "x.tar", **{"a.txt": "1"})
    with pytest.raises(UserError, match="no photo in a tar archive"):
        read(tmp_path)
