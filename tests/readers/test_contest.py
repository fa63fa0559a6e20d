"""The contest's layout: every file is a photo with a row or is listed with its reason; a table that does not fit stops."""
import pandas as pd
import pytest

from stages.core.errors import UserError
from stages.readers.contest import read_contest
from tests.readers.files import edit, photo, read

PEOPLE = {"000001_male_Asian_29": ("000001", "male", "29"), "000002_female_Asian_60": ("000002", "female", "60"),
          "000002_male_Asian_31": ("000002", "male", "31"), "000003-1_female_Asian_18": ("000003-1", "female", "18")}
STEMS = ["mask1", "mask2", "mask3", "mask4", "mask5", "incorrect_mask", "normal"]


@pytest.fixture
def contest(tmp_path):
    """The contest's layout with four people, two of them with one id, mixed suffixes, and two photos to label."""
    for number, person in enumerate(PEOPLE):
        for stem in STEMS:
            suffix = ".png" if (number, stem) == (1, "mask2") else ".jpeg" if number == 2 else ".jpg"
            photo(tmp_path / "train/images" / person / f"{stem}{suffix}")
    rows = [(i, g, "Asian", a, path) for path, (i, g, a) in PEOPLE.items()]
    pd.DataFrame(rows, columns=["id", "gender", "race", "age", "path"]).to_csv(tmp_path / "train/train.csv", index=False)
    for name in ("bb.jpg", "aa.jpg"):
        photo(tmp_path / "eval/images" / name)
    (tmp_path / "eval/info.csv").write_text("ImageID,ans\nbb.jpg,0\naa.jpg,0\n")
    return tmp_path


def files(folder):
    return {f.relative_to(folder).as_posix() for f in folder.rglob("*")
            if (f.is_symlink() or not f.is_dir()) and f.suffix != ".csv"}


def test_counts_in_equal_counts_out(contest):
    (contest / "train/images/000001_male_Asian_29/._mask1.jpg").write_bytes(b"junk")
    (contest / "train/images/000001_male_Asian_29/mask1.png").write_bytes(b"")
    (contest / "train/images/000001_male_Asian_29/holiday.jpg").write_bytes(b"")
    (contest / "train/images/notes.txt").write_text("")
    (contest / "eval/images/.DS_Store").write_bytes(b"")
    (contest / "eval/notes.txt").write_text("")
    (contest / "train/images/.cache").mkdir()
    (contest / "train/images/.cache/mask1.jpg").write_bytes(b"")
    (contest / "train/images/000001_male_Asian_29/link.jpg").symlink_to(contest / "nowhere.jpg")
    (contest / "train/images/000001_male_Asian_29/more").symlink_to(contest / "eval", target_is_directory=True)
    rows, unused = read_contest(contest)
    assert set(rows.photo) | set(unused) == files(contest)
    assert len(rows) + len(unused) == len(files(contest))
    assert len(unused) == 9
    assert all(unused.values())


def test_the_stem_says_the_mask_and_the_path_says_the_person(contest):
    rows = read_contest(contest)[0].set_index("photo")
    assert rows.loc["train/images/000002_female_Asian_60/mask2.png"].tolist() == [
        "000002_female_Asian_60", "train", "worn", "female", "60"]
    assert rows.loc["train/images/000002_male_Asian_31/normal.jpeg", "mask"] == "bare"
    assert rows.loc["train/images/000003-1_female_Asian_18/incorrect_mask.jpg", "mask"] == "incorrect"
    assert rows.person[rows.part == "train"].nunique() == 4  # two of them share an id


def test_the_eval_part_keeps_the_order_of_info_csv(contest):
    rows = read_contest(contest)[0]
    assert list(rows.photo[rows.part == "eval"]) == ["eval/images/bb.jpg", "eval/images/aa.jpg"]


@pytest.mark.parametrize("file, old, new, named", [
    ("train/train.csv", "gender", "sex", "no column gender"),
    ("train/train.csv", "age,path\n", "age,path\n000009,male,Asian,30,nobody\n", "nobody has no folder"),
    ("train/train.csv", "000002_male_Asian_31", "000002_female_Asian_60", "stands in two rows"),
    ("eval/info.csv", "aa.jpg", "cc.jpg", "cc.jpg is not in"),
    ("eval/info.csv", "aa.jpg", "bb.jpg", "stands in two rows"),
    ("eval/info.csv", "ImageID", "image", "no column ImageID"),
])
def test_a_table_that_does_not_fit_is_one_line_with_the_file_and_the_value(contest, file, old, new, named):
    edit(contest / file, old, new)
    with pytest.raises(UserError) as error:
        read_contest(contest)
    assert named in str(error.value)
    assert str(contest / file) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("old, new, reason", [
    ("Asian,29", "Asian,150", "age is '150'; allowed are whole years from 0 to 120"),
    ("Asian,29", "Asian,young", "age is 'young'; allowed are whole years from 0 to 120"),
    ("1,male", "1,mal", "gender is 'mal'; allowed are male, female"),
])
def test_the_photos_of_a_person_with_a_wrong_label_are_refused(contest, old, new, reason, capsys):
    edit(contest / "train/train.csv", old, new)
    rows, unused = read(contest)
    assert unused == {f"train/images/000001_male_Asian_29/{stem}.jpg": reason for stem in STEMS}
    assert set(rows.index) | set(unused) == files(contest)
    printed = capsys.readouterr().out
    assert "layout contest (eval/info.csv and train/train.csv)" in printed
    assert "7 photos refused of 28 to train on (data/unused.csv):" in printed
    assert "    and 2 more" in printed


def test_a_folder_without_a_row_is_named(contest):
    photo(contest / "train/images/000009_male_Asian_40/mask1.jpg")
    with pytest.raises(UserError, match="000009_male_Asian_40 is not in"):
        read_contest(contest)


def test_a_person_without_photos_is_named(contest):
    for file in (contest / "train/images/000001_male_Asian_29").iterdir():
        file.unlink()
    with pytest.raises(UserError, match="no photo in the folder of 000001_male_Asian_29"):
        read_contest(contest)
