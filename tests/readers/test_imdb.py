"""IMDB-Clean's tables are read, with the people that its names tell."""
import pytest

from stages.core.errors import UserError
from tests.readers.files import LABELS, edit, files_below, photo, read

HEADER = "filename,x_min,y_min,x_max,y_max,age,gender,head_roll,head_yaw,head_pitch\n"
TABLES = {"train": "00/nm0000100_rm1_1955-1-6_2003.jpg,1,2,3,4,48,M,0,0,0\n"
                   "45/nm0000145_rm2_1970-1-1_1990.jpg,1,2,3,4,20,F,0,0,0\n",
          "valid": "00/nm0000100_rm3_1955-1-6_2010.jpg,1,2,3,4,55,M,0,0,0\n",
          "test": "07/nm0000207_rm4_1950-1-1_2014.jpg,1,2,3,4,64,F,0,0,0\n"}


@pytest.fixture(params=["", "_1024"])
def imdb(request, tmp_path):
    for part, rows in TABLES.items():
        for row in rows.splitlines():
            photo(tmp_path / "imdb-clean-1024" / row.split(",")[0])
        (tmp_path / f"imdb_{part}_new{request.param}.csv").write_text(HEADER + rows)
    return tmp_path


def test_people_are_the_numbers_of_names_and_test_photos_are_to_label(imdb, capsys):
    rows, unused = read(imdb)
    found = {name.removeprefix("imdb-clean-1024/"): rows.loc[name, ["person", "part", *LABELS]].tolist() for name in rows.index}
    assert found == {
        "00/nm0000100_rm1_1955-1-6_2003.jpg": ["nm0000100", "train", "", "male", "48"],
        "45/nm0000145_rm2_1970-1-1_1990.jpg": ["nm0000145", "train", "", "female", "20"],
        "00/nm0000100_rm3_1955-1-6_2010.jpg": ["nm0000100", "train", "", "male", "55"],
        "07/nm0000207_rm4_1950-1-1_2014.jpg": ["nm0000207", "eval", "", "", ""]}
    assert not unused
    assert set(rows.index) == {name for name in files_below(imdb) if not name.endswith(".csv")}
    assert "layout imdb (imdb_test_new" in capsys.readouterr().out


def test_both_kinds_of_tables_count_a_photo_once(imdb, capsys):
    for part, rows in TABLES.items():
        (imdb / f"imdb_{part}_new.csv").write_text(HEADER + rows)
        (imdb / f"imdb_{part}_new_1024.csv").write_text(HEADER + rows)
    assert len(read(imdb)[0]) == 4
    assert "4 photos listed twice, in rows that are equal, count once" in capsys.readouterr().out


def test_a_folder_of_some_of_the_photos_is_not_theirs(imdb):
    """IMDB-Clean's own script draws boxes into copies of every hundredth photo."""
    first = TABLES["train"].split(",")[0]
    photo(imdb / "imdb-clean-1024-visualisation" / first)
    rows, unused = read(imdb)
    assert f"imdb-clean-1024/{first}" in rows.index
    assert unused == {f"imdb-clean-1024-visualisation/{first}": "not in the table"}


def test_a_name_without_a_person_is_named(imdb):
    for table in imdb.glob("imdb_valid*"):
        edit(table, "nm0000100", "somebody")
    (imdb / "imdb-clean-1024/00/nm0000100_rm3_1955-1-6_2010.jpg").rename(
        imdb / "imdb-clean-1024/00/somebody_rm3_1955-1-6_2010.jpg")
    with pytest.raises(UserError, match="photo 00/somebody_rm3_1955-1-6_2010.jpg: names no person, such as nm0000100"):
        read(imdb)
