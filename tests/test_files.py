"""A file appears whole or not at all, and a table without a needed column is refused."""
import pytest

from stages.lib.errors import UserError
from stages.lib.files import read_csv, whole


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "out.csv"
    file.write_text("old")
    with pytest.raises(RuntimeError), whole(file) as part:
        part.write_text("half")
        raise RuntimeError
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_text_stays_text(tmp_path):
    (tmp_path / "t.csv").write_text("person,age\n007,NA\n")
    assert read_csv(tmp_path / "t.csv", ["person", "age"]).values.tolist() == [["007", "NA"]]


@pytest.mark.parametrize("content, named", [("person\n1\n", "no column age"), ("", "not a CSV"), (None, "no such file")])
def test_a_bad_table_is_named_with_what_is_missing(tmp_path, content, named):
    if content is not None:
        (tmp_path / "t.csv").write_text(content)
    with pytest.raises(UserError, match=named) as error:
        read_csv(tmp_path / "t.csv", ["person", "age"])
    assert "t.csv" in str(error.value)
