"""FairFace's two tables are read, with a year within each range of ages."""
import pytest

from stages.core.classes import CONTEST
from stages.core.errors import UserError
from tests.readers.files import LABELS, edit, files_below, photo, read

TRAIN = """file,age,gender,race,service_test
train/1.jpg,50-59,Male,East Asian,True
train/2.jpg,more than 70,Female,Indian,False
train/3.jpg,0-2,Female,White,False
"""
VAL = "file,age,gender,race,service_test\nval/1.jpg,3-9,Male,Black,True\n"
YEARS = {"0-2": 1, "3-9": 6, "10-19": 14, "20-29": 24, "30-39": 34, "40-49": 44, "50-59": 54, "60-69": 64, "more than 70": 70}


@pytest.fixture(params=["", "fairface-img-margin125-trainval/"])
def fairface(request, tmp_path):
    for name in ("train/1.jpg", "train/2.jpg", "train/3.jpg", "val/1.jpg", "val/2.jpg"):
        photo(tmp_path / f"{request.param}{name}")
    (tmp_path / "fairface_label_train.csv").write_text(TRAIN)
    (tmp_path / "fairface_label_val.csv").write_text(VAL)
    return tmp_path, request.param


def test_both_tables_are_to_train_on_wherever_their_photos_lie(fairface, capsys):
    root, folder = fairface
    rows, unused = read(root)
    assert {name.removeprefix(folder): rows.loc[name, LABELS].tolist() for name in rows.index} == {
        "train/1.jpg": ["", "male", "54"], "train/2.jpg": ["", "female", "70"], "train/3.jpg": ["", "female", "1"],
        "val/1.jpg": ["", "male", "6"]}
    assert unused == {f"{folder}val/2.jpg": "not in the table"}
    assert set(rows.index) | set(unused) == {name for name in files_below(root) if not name.endswith(".csv")}
    assert set(rows.part) == {"train"}
    assert rows.person.tolist() == rows.index.tolist()
    printed = capsys.readouterr().out
    assert "layout fairface (fairface_label_train.csv and fairface_label_val.csv)" in printed
    assert "age 'more than 70' was read as 70: 1 photo" in printed
    assert "age '50-59' was read as 54: 1 photo" in printed
    assert "part 'val' was read as train: 1 photo" in printed


@pytest.mark.parametrize("word, years", YEARS.items())
def test_a_range_is_one_year_in_its_age_group(fairface, word, years):
    root, folder = fairface
    edit(root / "fairface_label_val.csv", "3-9", word)
    assert read(root)[0].age[f"{folder}val/1.jpg"] == str(years)
    ends = [int(end) for end in word.removeprefix("more than ").split("-")]
    assert set(CONTEST.age_group(ends)) == {CONTEST.age_group(years)}


def test_a_table_without_rows_has_none(fairface):
    root, folder = fairface
    (root / "fairface_label_val.csv").write_text(VAL.splitlines()[0])
    rows, unused = read(root)
    assert len(rows) == 3
    assert unused == {f"{folder}val/{i}.jpg": "not in the table" for i in (1, 2)}


def test_photos_that_lie_nowhere_or_in_two_folders_are_named(fairface):
    root, folder = fairface
    photo(root / "more/val/1.jpg")
    with pytest.raises(UserError, match=r"fairface_label_val.csv: its photos, such as val/1.jpg, lie in .*more/ of"):
        read(root)
    (root / "more/val/1.jpg").unlink()
    (root / folder / "val/1.jpg").unlink()
    with pytest.raises(UserError, match=r"fairface_label_val.csv: its photos, such as val/1.jpg, lie in no folder of"):
        read(root)
    (root / "fairface_label_val.csv").unlink()
    (root / folder / "train/2.jpg").unlink()
    with pytest.raises(UserError, match=r"fairface_label_train.csv: photo .*train/2.jpg is not there"):
        read(root)
