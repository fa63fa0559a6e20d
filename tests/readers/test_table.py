"""One's own table: names are made equal, a wrong row is refused and said, a wrong table stops with one line."""
from unicodedata import normalize

import pandas as pd
import pytest

from stages.core.errors import UserError
from tests.readers.files import LABELS, edit, photo, read

OWN = """photo,person,mask,gender,age,part
a/1.jpg,ann,worn,female,33,train
b.png,bob,2,0,61,train
c.jpg,,,,,eval
e.jpg,eve,bare,female,20,train
f.jpg,eve,worn,female,20,train
"""


@pytest.fixture
def mine(tmp_path):
    for name in ("a/1.jpg", "b.png", "c.jpg", "d.jpg", "e.jpg", "f.jpg"):
        photo(tmp_path / name)
    (tmp_path / "table.csv").write_text(OWN)
    return tmp_path


def test_ones_own_table_is_read_with_names_or_numbers(mine, capsys):
    rows, unused = read(mine, table="table.csv")
    assert unused == {"d.jpg": "not in the table"}
    assert rows.loc["a/1.jpg", ["person", *LABELS]].tolist() == ["ann", "worn", "female", "33"]
    assert rows.loc["b.png", ["person", *LABELS]].tolist() == ["bob", "bare", "male", "61"]
    assert "  gender '0' was read as male: 1 photo\n" in capsys.readouterr().out


def test_names_of_photos_and_people_are_made_equal_before_they_are_compared(mine):
    edit(mine / "table.csv", "a/1.jpg,ann", "./a//1.jpg, ann ")
    rows, unused = read(mine, table="table.csv")
    assert rows.person["a/1.jpg"] == "ann"
    assert set(unused) == {"d.jpg"}


@pytest.mark.parametrize("delimiter, said", [(",", ""), (";", "between ;, not commas"), ("\t", "between tabs, not commas")])
def test_a_table_as_excel_saves_it_is_read(mine, delimiter, said, capsys):
    text = OWN.replace("photo,person,mask", "Photo, Person ,MASK").replace(",", delimiter).replace("\n", "\r\n")
    (mine / "table.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    rows, _ = read(mine, table="table.csv")
    assert dict(rows.person) == {"a/1.jpg": "ann", "b.png": "bob", "c.jpg": "", "e.jpg": "eve", "f.jpg": "eve"}
    printed = capsys.readouterr().out
    assert (said in printed) if said else ("not commas" not in printed)


@pytest.mark.parametrize("encoding", ["cp949", "utf-16"])
def test_a_table_in_another_encoding_is_refused_with_the_one_that_is_read_and_how_to_save_it(mine, encoding):
    (mine / "table.csv").write_bytes(OWN.replace("ann", "김").encode(encoding))
    with pytest.raises(UserError, match=r"table.csv: not UTF-8 \(.*\); save it as .CSV UTF-8., or run iconv") as error:
        read(mine, table="table.csv")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("mask, gender, age, year", [
    ("WORN", "Female", "33.0", "33"), ("With mask", "F", "33", "33"), ("masked", " woman ", "33", "33"),
    ("0", "1", "30-39", "34"), ("Mask", "girl", "20 to 29", "24")])
def test_other_words_for_a_value_are_read_and_said(mine, mask, gender, age, year, capsys):
    edit(mine / "table.csv", "worn,female,33", f"{mask},{gender},{age}")
    edit(mine / "table.csv", "2,0,61", "bare,male,61")
    rows, _ = read(mine, table="table.csv")
    assert rows.loc["a/1.jpg", LABELS].tolist() == ["worn", "female", year]
    said = [line for line in capsys.readouterr().out.splitlines() if "was read as" in line]
    words = [("mask", mask, "worn"), ("gender", gender.strip(), "female"), ("age", age, year)]
    assert said == [f"  {attribute} {word!r} was read as {value}: 1 photo" for attribute, word, value in words
                    if attribute != "age" or word[:2] != value]


@pytest.mark.parametrize("old, new, reason", [
    ("61", "-1", "age is '-1'; allowed are whole years from 0 to 120"),
    ("61", "300", "age is '300'; allowed are whole years from 0 to 120"),
    ("61", "abc", "age is 'abc'; allowed are whole years from 0 to 120"),
    ("61", "61.5", "age is '61.5'; allowed are whole years from 0 to 120"),
    ("61", "9" * 5000, f"age is '{'9' * 40}'...; allowed are whole years from 0 to 120"),
    ("61", "25-34", "age is '25-34', which is more than one of the age groups"),
    ("61", "nan", "age is 'nan'; allowed are whole years from 0 to 120"),
    ("bob,2", "bob,3", "mask is '3'; allowed are worn, incorrect, bare"),
    ("bob,2", "bob,None", "mask is 'None'; allowed are worn, incorrect, bare"),  # a missing label as likely as no mask
    ("2,0,", "2,x,", "gender is 'x'; allowed are male, female"),
    ("61,train", "61,holdout", "part is 'holdout'; allowed are train, eval"),
    ("61,train", "61,", "part is ''; allowed are train, eval"),
    ("bob", "", "no person; name one, or leave the column out"),
    ("2,0,61", ",,", "no label of mask, gender or age"),
])
def test_a_row_with_a_wrong_value_is_refused_with_the_reason_and_said(mine, old, new, reason, capsys):
    edit(mine / "table.csv", old, new)
    rows, unused = read(mine, table="table.csv")
    assert unused == {"d.jpg": "not in the table", "b.png": reason}
    assert sorted(rows.index) == ["a/1.jpg", "c.jpg", "e.jpg", "f.jpg"]
    assert f"  1 photo refused of 4 to train on (data/unused.csv):\n    b.png: {reason}\n" in capsys.readouterr().out


def test_five_refused_photos_are_shown_and_all_are_counted(tmp_path, capsys):
    for i in range(20):
        photo(tmp_path / f"{i:02d}.jpg")
    (tmp_path / "t.csv").write_text("photo,age\n" + "".join(f"{i:02d}.jpg,{'?' if i < 9 else i}\n" for i in range(20)))
    _, unused = read(tmp_path, table="t.csv")
    assert len(unused) == 9
    printed = capsys.readouterr().out
    assert "9 photos refused of 20 to train on" in printed
    assert [f"    {i:02d}.jpg: " in printed for i in range(9)] == [True] * 5 + [False] * 4
    assert "    and 4 more\n" in printed


def test_a_table_most_of_which_is_refused_is_an_error_with_the_most_frequent_reason_and_the_parameter(mine):
    (mine / "table.csv").write_text("photo,mask,age\na/1.jpg,worn,1990\nb.png,bare,1990\nc.jpg,bare,30\n")
    with pytest.raises(UserError, match=r"table.csv: 2 of 3 photos to train on are refused, 2 of them since age is '1990'; "
                                        r"allowed .*; mend them, or change data.columns"):
        read(mine, table="table.csv")


def test_an_age_of_116_is_allowed(mine):
    edit(mine / "table.csv", "61", "116")
    assert read(mine, table="table.csv")[0].age["b.png"] == "116"


def test_a_label_may_be_missing_and_is_counted(mine, capsys):
    edit(mine / "table.csv", "worn,female,33", ",female,33")
    assert read(mine, table="table.csv")[0].loc["a/1.jpg", LABELS].tolist() == ["", "female", "33"]
    assert "  mask is missing: 1 photo to train on\n" in capsys.readouterr().out


def test_labels_of_the_part_to_label_are_not_used(mine):
    edit(mine / "table.csv", "c.jpg,,,,,eval", "c.jpg,,scarf,x,999,eval")
    rows, unused = read(mine, table="table.csv")
    assert rows.loc["c.jpg", LABELS].tolist() == ["", "", ""]
    assert "c.jpg" not in unused


def test_validation_is_to_train_on_and_test_to_label_and_this_is_said(mine, capsys):
    edit(mine / "table.csv", "33,train", "33,val")
    edit(mine / "table.csv", "61,train", "61,Test")
    rows, _ = read(mine, table="table.csv")
    assert dict(rows.part[["a/1.jpg", "b.png"]]) == {"a/1.jpg": "train", "b.png": "eval"}
    printed = capsys.readouterr().out
    assert "part 'val' was read as train: 1 photo" in printed
    assert "part 'Test' was read as eval: 1 photo" in printed


def test_columns_may_have_other_names(mine, capsys):
    text = OWN.replace("photo,person,mask,gender,age,part", "File Name,id,covered,sex,Years,set")
    (mine / "table.csv").write_text(text)
    rows, _ = read(mine, table="table.csv", photo="file_name", person="id", mask="covered", gender="sex", age="years",
                   part="set")
    edit(mine / "table.csv", text, OWN)
    pd.testing.assert_frame_equal(rows, read(mine, table="table.csv")[0])


def test_without_part_photos_with_a_label_are_to_train_on_and_the_others_to_label(mine, capsys):
    (mine / "table.csv").write_text("photo,mask,gender,age\na/1.jpg,worn,male,19\nb.png,,,\nc.jpg,bare,,\n")
    rows, _ = read(mine, table="table.csv")
    assert dict(rows.part) == {"a/1.jpg": "train", "b.png": "eval", "c.jpg": "train"}
    assert "no column part: 2 photos with a label to train on, 1 without any to label" in capsys.readouterr().out


def test_without_person_each_photo_is_a_person_but_equal_bytes_are_one(mine, capsys):
    photo(mine / "b.jpg", "twin")
    photo(mine / "c.jpg", "twin")
    (mine / "table.csv").write_text("photo,mask,gender,age\na/1.jpg,worn,male,19\nb.jpg,bare,male,22\nc.jpg,bare,male,22\n")
    rows, _ = read(mine, table="table.csv")
    assert dict(rows.person) == {"a/1.jpg": "a/1.jpg", "b.jpg": "b.jpg", "c.jpg": "b.jpg"}
    assert ("no person is known of 3 photos to train on: each is a person of its own, but for 1 with the same bytes"
            in capsys.readouterr().out)


def test_the_same_photo_under_two_people_is_counted_and_said(mine, capsys):
    photo(mine / "e.jpg", "twin")
    photo(mine / "a/1.jpg", "twin")
    read(mine, table="table.csv")
    assert "1 photo under two people, by the bytes, such as a/1.jpg and e.jpg; folds leak" in capsys.readouterr().out


def test_a_photo_to_label_that_is_also_to_train_on_is_said(mine, capsys):
    photo(mine / "c.jpg", "twin")
    photo(mine / "e.jpg", "twin")
    read(mine, table="table.csv")
    assert "  1 photo to label with the same bytes as one to train on\n" in capsys.readouterr().out


def test_a_photo_listed_twice_in_equal_rows_counts_once_and_is_said(mine, capsys):
    (mine / "table.csv").write_text(OWN + "./a/1.jpg,ann,worn,female,33,train\n")
    assert len(read(mine, table="table.csv")[0]) == 5
    assert "1 photo listed twice, in rows that are equal, count once" in capsys.readouterr().out


def test_a_parquet_table_reads_as_the_same_csv(mine):
    cells = pd.read_csv(mine / "table.csv", dtype={"mask": str, "gender": str})
    cells["age"] = cells.age.astype(float)  # as pandas saves whole numbers beside missing ones
    cells.to_parquet(mine / "labels.parquet")
    want = read(mine, table="table.csv")[0]
    rows, unused = read(mine, table="labels.parquet")
    pd.testing.assert_frame_equal(rows, want)
    assert "labels.parquet" not in unused


@pytest.mark.parametrize("old, new, named", [
    ("photo,", "file,", "no column photo; there are file, person, mask, gender, age, part; the first line names the columns"),
    ("mask,gender,age", "a,b,c", "no column mask, gender, age; there are photo, person, a, b, c, part"),
    ("b.png,bob", "a/1.jpg,bob", "photo a/1.jpg stands in two rows that differ"),
    ("b.png,bob", "./a/1.jpg,bob", "photo a/1.jpg stands in two rows that differ"),
    ("b.png", "x.png", "x.png is not there"),
    ("b.png", "../b.png", "is not a path below data.root"),
    ("photo,person", "photo,photo", "twice the column photo"),
    ("61,train", "61", "line 3 has 5 cells"),
    ("mask,gender", "photo ,gender", "twice the column photo"),
])
def test_a_wrong_table_is_one_line_with_the_file_and_the_value(mine, old, new, named):
    edit(mine / "table.csv", old, new)
    with pytest.raises(UserError) as error:
        read(mine, table="table.csv")
    assert named in str(error.value)
    assert "table.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_column_that_is_not_there_is_named_with_those_that_are(mine):
    with pytest.raises(UserError, match=r"table.csv: data.columns: age: 'years' is no column there; there are photo, person"):
        read(mine, table="table.csv", age="years")


def test_a_parquet_table_that_is_none_is_named(mine):
    (mine / "t.parquet").write_text(OWN)
    with pytest.raises(UserError, match=r"t.parquet: not a Parquet table"):
        read(mine, table="t.parquet")
    with pytest.raises(UserError, match=r"u.parquet: no such file"):
        read(mine, table="u.parquet")


@pytest.mark.parametrize("on_disk, in_table", [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_name_that_differs_in_its_unicode_form_alone_is_said_to(mine, on_disk, in_table):
    photo(mine / normalize(on_disk, "김철수/사진.jpg"))
    listed = normalize(in_table, "김철수/사진.jpg")
    edit(mine / "table.csv", "e.jpg,eve", f"{listed},eve")
    with pytest.raises(UserError, match=f"table.csv: {listed} is not there; a name there differs in its Unicode form alone"):
        read(mine, table="table.csv")
