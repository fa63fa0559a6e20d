"""One's own table: names are made equal, and a wrong value stops with one line."""
import pytest

from stages.core.errors import UserError
from stages.index import check_labels
from stages.readers.table import read_table
from tests.readers.files import edit, photo

OWN = "photo,person,mask,gender,age,part\na/1.jpg,ann,worn,female,33,train\nb.png,bob,2,0,61,train\nc.jpg,,,,,eval\n"


@pytest.fixture
def mine(tmp_path):
    for name in ("a/1.jpg", "b.png", "c.jpg", "d.jpg"):
        photo(tmp_path / name)
    (tmp_path / "table.csv").write_text(OWN)
    return tmp_path


def test_ones_own_table_is_read_with_names_or_numbers(mine):
    rows, unused = read_table(mine, mine / "table.csv")
    assert unused == {"d.jpg": "not in the table"}
    given = check_labels(rows, mine / "table.csv")
    assert given[["person", "mask", "gender", "age"]].values.tolist() == [
        ["ann", "worn", "female", 33], ["bob", "bare", "male", 61]]


def test_names_of_photos_and_people_are_made_equal_before_they_are_compared(mine):
    edit(mine / "table.csv", "a/1.jpg,ann", "./a//1.jpg, ann ")
    rows, unused = read_table(mine, mine / "table.csv")
    assert rows.loc[0, ["photo", "person"]].tolist() == ["a/1.jpg", "ann"]
    assert set(unused) == {"d.jpg"}


@pytest.mark.parametrize("delimiter, said", [(",", ""), (";", "between ;, not commas"), ("\t", "between tabs, not commas")])
def test_a_table_as_excel_saves_it_is_read(mine, delimiter, said, capsys):
    text = OWN.replace("photo,person,mask", "Photo, Person ,MASK").replace(",", delimiter).replace("\n", "\r\n")
    (mine / "table.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    rows, _ = read_table(mine, mine / "table.csv")
    assert rows.photo.tolist() == ["a/1.jpg", "b.png", "c.jpg"]
    assert rows.person.tolist() == ["ann", "bob", ""]
    assert (said in capsys.readouterr().out) if said else capsys.readouterr().out == ""


def test_a_table_in_another_encoding_is_refused_by_name(mine):
    (mine / "table.csv").write_bytes(OWN.replace("ann", "김").encode("cp949"))
    with pytest.raises(UserError, match=r"table.csv: not a CSV table in UTF-8 \("):
        read_table(mine, mine / "table.csv")


@pytest.mark.parametrize("mask, gender, age", [
    ("WORN", "Female", "33.0"), ("With mask", "F", "33"), ("masked", " woman ", "33"), ("0", "1", "33"),
    ("Mask", "girl", "33")])
def test_other_words_for_a_value_are_read_and_said(mine, mask, gender, age, capsys):
    edit(mine / "table.csv", "worn,female,33", f"{mask},{gender},{age}")
    given = check_labels(read_table(mine, mine / "table.csv")[0], mine / "table.csv")
    assert given.loc[0, ["mask", "gender", "age"]].tolist() == ["worn", "female", 33]
    said = capsys.readouterr().out.splitlines()
    words = [("mask", mask, "worn"), ("gender", gender.strip(), "female")]
    assert said == [f"  {attribute} {word!r} was read as {value}: 1 photo" for attribute, word, value in words
                    if not word.isdigit()]


@pytest.mark.parametrize("old, new, named", [
    ("part", "set", "no column part"),
    ("train", "test", "'test' is not allowed; choose train or eval"),
    ("b.png", "a/1.jpg", "stands in two rows"),
    ("b.png", "./a/1.jpg", "stands in two rows"),
    ("b.png", "e.png", "e.png is not there"),
    ("b.png", "../b.png", "is not a path below data.root"),
    ("bob", "", "has no person"),
    ("61", "-1", "age of bob is '-1'"),
    ("bob,2", "bob,3", "mask of bob is '3'"),
    ("bob,2", "bob,None", "mask of bob is 'None'"),  # a missing label as likely as no mask
    ("bob,2", "bob,scarf", "mask of bob is 'scarf'; allowed are worn, incorrect, bare"),
    ("female", "x", "gender of ann is 'x'; allowed are male, female"),
    ("61", "61.5", "age of bob is '61.5'"),
])
def test_a_wrong_table_is_one_line_with_the_file_and_the_value(mine, old, new, named):
    edit(mine / "table.csv", old, new)
    with pytest.raises(UserError) as error:
        check_labels(read_table(mine, mine / "table.csv")[0], mine / "table.csv")
    assert named in str(error.value)
    assert "table.csv" in str(error.value)
