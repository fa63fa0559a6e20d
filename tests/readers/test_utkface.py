"""UTKFace's names are read, and the flawed ones refused."""
from tests.readers.files import LABELS, files_below, photo, read

GOOD = {"part1/25_1_2_20170116174525125.jpg": ["", "female", "25"],
        "part1/116_0_0_20170120134921760.jpg": ["", "male", "116"],
        "1_0_4_20170110212535071.jpg.chip.jpg": ["", "male", "1"],
        "24_0_1_20170116220224657 .jpg": ["", "male", "24"], "44_1_4_20170116235150272.pg.chip.jpg": ["", "female", "44"],
        "part2/more/60_1_3_20170105173110000.png": ["", "female", "60"]}
FLAWED = ["61_1_20170109142408075.jpg", "39_1_20170116174525125.jpg.chip.jpg", "55__0_20170116232725357.jpg",
          "44_2_1_20170116220224657.jpg", "x25_1_2_20170116174525125.jpg",
          "25_1_7_20170116174525125.jpg"]


def test_a_photo_gets_the_age_and_gender_of_its_name_and_a_flawed_name_is_refused(tmp_path, capsys):
    for name in [*GOOD, *FLAWED]:
        photo(tmp_path / name)
    (tmp_path / "readme.txt").write_text("")
    rows, unused = read(tmp_path)
    assert {name: rows.loc[name, LABELS].tolist() for name in rows.index} == GOOD
    assert set(unused) == {*FLAWED, "readme.txt"}
    assert "its name is not AGE_GENDER_RACE_DATE" in unused[FLAWED[0]]
    assert set(rows.index) | set(unused) == files_below(tmp_path)
    assert set(rows.part) == {"train"}
    printed = capsys.readouterr().out
    assert "layout utkface (6 of 12 photos are named AGE_GENDER_RACE_DATE)" in printed
    assert "gender 0 is male and 1 female" in printed
    assert "6 photos refused of 12" in printed


def test_an_age_beyond_a_life_is_refused(tmp_path):
    for name in ["200_1_2_20170116174525125.jpg", "20_1_2_20170116174525125.jpg"]:
        photo(tmp_path / name)
    assert "age is '200'" in read(tmp_path)[1]["200_1_2_20170116174525125.jpg"]


def test_the_same_photo_under_two_names_is_one_person(tmp_path, capsys):
    for name, word in (("20_1_2_1.jpg", "a"), ("21_1_2_2.jpg", "a"), ("22_1_2_3.jpg", "b")):
        photo(tmp_path / name, word)
    assert read(tmp_path)[0].person.tolist() == ["20_1_2_1.jpg", "20_1_2_1.jpg", "22_1_2_3.jpg"]
    assert "but for 1 with the same bytes" in capsys.readouterr().out


def test_photos_in_a_folder_test_are_to_label_and_this_is_said(tmp_path, capsys):
    for name in ("train/20_1_2_1.jpg", "test/21_1_2_2.jpg", "val/22_1_2_3.jpg"):
        photo(tmp_path / name)
    assert dict(read(tmp_path)[0].part) == {"train/20_1_2_1.jpg": "train", "test/21_1_2_2.jpg": "eval",
                                            "val/22_1_2_3.jpg": "train"}
    assert "1 photo to label, in folders test or eval" in capsys.readouterr().out
