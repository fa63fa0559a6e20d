"""Folders say what their photos show; a name that says nothing is a person or nothing, and which is said."""
import pytest

from stages.core.errors import UserError
from tests.readers.files import LABELS, files_below, photo, read


def labels(root, *names):
    for name in names:
        photo(root / name)
    rows, unused = read(root)
    assert set(rows.index) | set(unused) == files_below(root)
    return {name: rows.loc[name, LABELS].tolist() for name in rows.index}, unused, rows


def test_a_path_is_read_in_any_order_and_depth(tmp_path, capsys):
    found, unused, _ = labels(tmp_path, "worn/male/34/a.jpg", "Female/60plus/b.jpg", "without mask/c.jpg", "20-29/man/d.jpg",
                              "more than 70/e.jpg", "Under 30/f.png", "incorrect_female_30to59/g.jpg")
    assert found == {
        "worn/male/34/a.jpg": ["worn", "male", "34"], "Female/60plus/b.jpg": ["", "female", "60"],
        "without mask/c.jpg": ["bare", "", ""], "20-29/man/d.jpg": ["", "male", "24"], "more than 70/e.jpg": ["", "", "70"],
        "Under 30/f.png": ["", "", "14"], "incorrect_female_30to59/g.jpg": ["incorrect", "female", "44"]}
    assert not unused
    printed = capsys.readouterr().out
    assert "folders named incorrect, without mask, worn are read as mask" in printed
    assert "folders named 20-29, 30to59, 34 and 3 more are read as age" in printed


def test_photos_of_train_and_val_are_to_train_on_and_those_of_test_and_eval_to_label(tmp_path):
    _, _, rows = labels(tmp_path, "train/with_mask/a.jpg", "val/without_mask/b.jpg", "test/with_mask/c.jpg", "eval/d.jpg")
    assert rows.part.tolist() == ["eval", "eval", "train", "train"]
    assert (rows.loc[["test/with_mask/c.jpg", "eval/d.jpg"], LABELS] == "").all(axis=None)


def test_a_photo_whose_folders_say_nothing_or_two_things_is_refused(tmp_path, capsys):
    _, unused, _ = labels(tmp_path, "male/a.jpg", "male/b.jpg", "female/c.jpg", "female/e.jpg", "other/d.jpg",
                          "male/20/female/e.jpg", "25-35/x.jpg", "._male/y.jpg")
    assert unused == {"other/d.jpg": "no folder of its path names mask, gender or age",
                      "male/20/female/e.jpg": "its path says two of gender: male and female",
                      "25-35/x.jpg": "age is '25-35', which is more than one of the age groups",
                      "._male/y.jpg": "junk: the name starts with a dot"}
    assert "3 photos refused of 7" in capsys.readouterr().out


@pytest.mark.parametrize("names", [
    ["mask/ann/1.jpg", "mask/bob/2.jpg", "no_mask/ann/3.jpg"], ["ann/mask/1.jpg", "bob/mask/2.jpg", "ann/no_mask/3.jpg"]])
def test_a_name_that_says_nothing_is_a_person_where_every_photo_has_one(tmp_path, names, capsys):
    _, _, rows = labels(tmp_path, *names)
    assert dict(rows.person) == {name: "ann" if "ann" in name else "bob" for name in names}
    assert "folders named ann, bob are read as 2 people" in capsys.readouterr().out


@pytest.mark.parametrize("names", [
    ["mask/images/1.jpg", "no_mask/images/2.jpg"],  # one name: a wrapper
    ["mask/batch1/1.jpg", "no_mask/2.jpg"],  # not every photo
    ["part1/male/1.jpg", "part1/female/2.jpg", "part2/male/3.jpg", "part2/female/4.jpg"],  # of both genders
])
def test_else_it_says_nothing_and_each_photo_is_a_person(tmp_path, names, capsys):
    _, _, rows = labels(tmp_path, *names)
    assert rows.person.tolist() == rows.index.tolist()
    assert "are read as nothing" in capsys.readouterr().out


def test_numbers_that_are_no_years_are_no_ages(tmp_path):
    _, _, rows = labels(tmp_path, "male/007/a.jpg", "male/130/b.jpg", "male/00/c.jpg")
    assert (rows.age == "").all()
    assert rows.person.tolist() == ["00", "007", "130"]


@pytest.mark.parametrize("numbers", ["0", "01", "12", "0123456789"])
def test_numbers_that_may_be_classes_or_people_are_ages_only_if_one_says_so(tmp_path, numbers):
    for number in numbers:
        photo(tmp_path / "male" / number / "a.jpg")
    with pytest.raises(UserError, match=rf"folders named {numbers[0]} to {numbers[-1]} may be ages, classes or people; set"):
        read(tmp_path)
    assert sorted(read(tmp_path, "folders")[0].age) == list(numbers)


def test_folders_that_say_nothing_are_no_layout(tmp_path):
    for name in ("ann/1.jpg", "bob/2.jpg"):
        photo(tmp_path / name)
    with pytest.raises(UserError, match=r"no layout of photos fits them; .*data.layout in params.yaml"):
        read(tmp_path)
    with pytest.raises(UserError, match=r"2 of 2 photos to train on are refused.*no folder.*change data.layout"):
        read(tmp_path, "folders")
