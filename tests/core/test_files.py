"""A file appears whole or not at all, and a table without a needed column is refused."""
import zipfile

import pandas as pd
import pytest

from stages.core.errors import UserError
from stages.core.files import atomic_write, read_csv, write_csv


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "out.csv"
    file.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(file) as part:
        part.write_text("half")
        raise RuntimeError
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_text_stays_text(tmp_path):
    (tmp_path / "t.csv").write_text("person,age\n007,NA\n")
    assert read_csv(tmp_path / "t.csv", ["person", "age"]).values.tolist() == [["007", "NA"]]


def test_quotes_empty_lines_and_what_excel_adds_are_no_part_of_the_text(tmp_path):
    (tmp_path / "t.csv").write_bytes(b'\xef\xbb\xbfperson,age\r\n"Doe, J.",30\r\n\r\n,""\r\n')
    assert read_csv(tmp_path / "t.csv", ["person", "age"]).values.tolist() == [["Doe, J.", "30"], ["", ""]]


@pytest.mark.parametrize("rows", [0, 1, 3, 4, 5])
def test_a_table_is_the_same_read_at_once_or_in_parts(tmp_path, monkeypatch, rows):
    file = tmp_path / "t.csv"
    file.write_text("person,age\n" + "".join(f"'=p{i},{i}\n\n" for i in range(rows)))
    monkeypatch.setattr("stages.core.files.AT_ONCE", 2)
    parts = read_csv(file, ["person"])
    assert parts.person.tolist() == [f"=p{i}" for i in range(rows)]
    monkeypatch.undo()
    pd.testing.assert_frame_equal(parts, read_csv(file, ["person"]))


def test_a_wrong_row_of_a_later_part_is_named_by_its_line(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("person,age\n1,20\n2,30\n3,40\n4\n")
    monkeypatch.setattr("stages.core.files.AT_ONCE", 2)
    with pytest.raises(UserError, match="line 5 has 1 cells"):
        read_csv(tmp_path / "t.csv", ["person"])


FORMULAS = ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "\r=1", "\n=1", "'=1", "''@x"]
PLAIN = ["007", "-3", "+3.5", "-", "", "'", "'a", "anna", "a=b", "1-1", "a\rb", "a\nb"]


def test_no_text_of_a_table_is_a_formula_for_a_spreadsheet_and_all_are_read_as_they_were(tmp_path):
    texts = FORMULAS + PLAIN
    write_csv(pd.DataFrame({"person": texts, "score": [-float(i) for i in range(len(texts))]}), tmp_path / "t.csv")
    cells = pd.read_csv(tmp_path / "t.csv", dtype=str, keep_default_na=False)
    assert cells.person.tolist() == [f"'{text}" for text in FORMULAS] + PLAIN
    assert cells.score[3] == "-3.0"
    assert read_csv(tmp_path / "t.csv", ["person"]).person.tolist() == texts


def test_what_is_no_text_stays_what_it_was(tmp_path):
    frame = pd.DataFrame({"mixed": [None, -1, "-1", True], "names": pd.Categorical(["a", "b", "a", "b"]), "empty": [None] * 4})
    write_csv(frame, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "mixed,names,empty\n,a,\n-1,b,\n-1,a,\nTrue,b,\n"


def test_a_table_without_rows_has_its_columns(tmp_path):
    (tmp_path / "t.csv").write_text("person,age\n")
    table = read_csv(tmp_path / "t.csv", ["person", "age"])
    assert list(table.columns) == ["person", "age"] and len(table) == 0


@pytest.mark.parametrize("content, named", [
    ("person\n1\n", "no column age"), ("", "not a CSV"), (None, "no such file"),
    ("person,age\n1,20\n2,30,oops\n", "line 3 has 3 cells, and the first has 2: person, age"),
    ("person,age\n1,20\n2\n", "line 3 has 1 cells"),
    ("person,age,age\n1,20,30\n", "twice the column age"),
    ('person,age\n1,"20\n', "not a CSV"),
])
def test_a_bad_table_is_named_with_what_is_missing(tmp_path, content, named):
    if content is not None:
        (tmp_path / "t.csv").write_text(content)
    with pytest.raises(UserError, match=named) as error:
        read_csv(tmp_path / "t.csv", ["person", "age"])
    assert "t.csv" in str(error.value)


def test_an_excel_workbook_is_told_from_a_table_in_another_encoding(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.csv", "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/workbook.xml", "<workbook/>" * 9)
    with pytest.raises(UserError, match=r"t.csv: an Excel workbook, by its content; save it as `CSV UTF-8`"):
        read_csv(tmp_path / "t.csv", ["person", "age"])
    (tmp_path / "t.csv").write_bytes("person,age\n김,30\n".encode("cp949"))
    with pytest.raises(UserError, match=r"t.csv: not UTF-8 .* iconv -f cp949"):
        read_csv(tmp_path / "t.csv", ["person", "age"])


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), OSError("Detail: No space left on device")])
def test_a_full_disk_is_told_with_the_file_that_no_library_names(tmp_path, error):
    with pytest.raises(OSError, match="No space left on device") as told, atomic_write(tmp_path / "a.csv"):
        raise error
    assert told.value.filename == str(tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []
