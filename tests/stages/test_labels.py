"""Corrections change what they name and nothing else, and each says what became of it."""
import json

import pandas as pd
import pytest

from stages.core.classes import CONTEST
from stages.core.errors import UserError
from stages.core.files import read_csv
from stages.labels import COLUMNS, check_corrections, correct, corrected, not_applied, read_corrections, read_pseudo
from tests.conftest import ROOT
from tests.sections import section

GIVEN = pd.DataFrame([
    ("a1", "000020_male_Asian_29", "incorrect", "male", "29"), ("a2", "000020_male_Asian_29", "bare", "male", "29"),
    ("b1", "000021_female_Asian_60", "worn", "female", "60"), ("c1", "000021_male_Asian_18", "worn", "male", "18"),
    ("d1", "ann", "worn", "female", "44"),
], columns=["photo", "person", "mask", "gender", "age"])


def corrections(*rows, photo=""):
    return pd.DataFrame([(*row, "a test") for row in rows], columns=COLUMNS).assign(photo=photo)


def test_a_person_is_named_by_id_or_by_path():
    rows = corrections(("000020", "gender", "male", "female"), ("ann", "gender", "female", "male"))
    labels, outcomes = correct(GIVEN, rows, "gender")
    assert list(labels) == ["female", "female", "female", "male", "male"]
    assert outcomes == ["applied to 2 photos", "applied to 1 photos"]


def test_two_masks_can_be_swapped():
    swap = corrections(("000020", "mask", "incorrect", "bare"), ("000020", "mask", "bare", "incorrect"))
    assert list(correct(GIVEN, swap, "mask")[0]) == ["bare", "incorrect", "worn", "worn", "worn"]


def test_one_photo_of_a_person_can_be_corrected_alone():
    given = GIVEN.assign(mask="worn")
    labels, outcomes = correct(given, corrections(("000020", "mask", "worn", "bare"), photo="a2"), "mask")
    assert list(labels) == ["worn", "bare", "worn", "worn", "worn"]
    assert outcomes == ["applied to 1 photos"]


@pytest.mark.parametrize("person, old, photo, outcome", [
    ("000020", "worn", "b1", "no such photo of that person"), ("000020", "worn", "x", "no such photo of that person"),
    ("000020", "worn", "a2", "not applied: the label is bare")])
def test_a_photo_that_is_not_the_persons_or_not_so_labelled_is_left_alone(person, old, photo, outcome):
    labels, outcomes = correct(GIVEN, corrections((person, "mask", old, "incorrect"), photo=photo), "mask")
    assert outcomes == [outcome]
    assert list(labels) == list(GIVEN["mask"])


def test_a_file_of_corrections_need_not_have_a_column_of_photos(here):
    plain = corrections(("ann", "age", "44", "45")).drop(columns="photo")
    plain.to_csv("plain.csv", index=False)
    assert list(read_corrections("plain.csv", CONTEST).photo) == [""]
    plain.assign(photo="d1", score="0.1").to_csv("more.csv", index=False)
    assert list(read_corrections("more.csv", CONTEST).columns) == [*COLUMNS, "photo"]
    assert list(read_corrections("more.csv", CONTEST).photo) == ["d1"]


@pytest.mark.parametrize("row, outcome", [
    (("999999", "gender", "male", "female"), "no such person"),
    (("000020", "gender", "female", "male"), "not applied: the label is male"),
    (("000021", "age", "60", "59"), "applied to 1 photos"),
])
def test_a_correction_counts_only_where_person_and_old_value_match(row, outcome):
    labels, outcomes = correct(GIVEN, corrections(row), row[1])
    assert outcomes == [outcome]
    assert (labels != GIVEN[row[1]]).sum() == outcome.startswith("applied")


def test_an_id_of_two_people_is_left_alone():
    same_age = GIVEN.assign(age="60")
    labels, outcomes = correct(same_age, corrections(("000021", "age", "60", "59")), "age")
    assert outcomes == ["not applied: two people have this id"]
    assert set(labels) == {"60"}


def test_of_two_corrections_of_one_label_the_first_counts():
    both = corrections(("ann", "gender", "female", "male"), ("ann", "gender", "female", "female"))
    labels, outcomes = correct(GIVEN, both, "gender")
    assert labels.iloc[-1] == "male"
    assert outcomes == ["applied to 1 photos", "not applied: an earlier row corrects the same label"]


@pytest.mark.parametrize("row", [("x", "hair", "a", "b"), ("x", "gender", "male", "man"), ("x", "age", "20", "121"),
                                 ("x", "age", "20", "²"), ("x", "age", "20", "9" * 5000)])
def test_a_correction_to_a_value_that_is_not_allowed_stops(row):
    with pytest.raises(UserError, match=r"mine.csv: .*allowed are"):
        check_corrections(corrections(row), "mine.csv", CONTEST)


def test_the_agreed_corrections_can_be_applied_and_leave_the_disputed_alone():
    agreed = read_csv(ROOT / "data/corrections/contest.csv", COLUMNS)
    check_corrections(agreed, "data/corrections/contest.csv", CONTEST)
    assert set(agreed.attribute) == set(CONTEST.values)
    assert agreed.source.all()
    disputed = "000225 000664 000667 000725 000736 000767 000817 001509 003113 003223 003780 004281 006424 006504"
    assert not set(disputed.split()) & set(agreed.person)


def test_a_joint_model_gets_the_corrections_of_all_it_learns_and_each_keeps_its_outcome():
    rows = corrections(("ann", "age", "44", "45"), ("000020", "gender", "male", "female"), ("ann", "mask", "bare", "worn"))
    labels, outcomes = corrected(GIVEN, rows, ("mask", "gender", "age"))
    assert list(labels.columns) == ["mask", "gender", "age"]
    assert labels.iloc[-1].tolist() == ["worn", "female", "45"]
    assert list(labels.gender[:2]) == ["female"] * 2
    assert outcomes == ["applied to 1 photos", "applied to 2 photos", "not applied: the label is worn"]


def test_a_correction_that_is_not_applied_is_told_with_the_reason():
    rows = corrections(("bob", "age", "44", "45"), ("ann", "age", "44", "45"), ("ann", "mask", "bare", "worn"))
    _, outcomes = corrected(GIVEN, rows, ("mask", "gender", "age"))
    assert not_applied(rows, outcomes) == ["bob, age: no such person", "ann, mask: the label is worn"]


@pytest.fixture
def pseudo(here):
    """A function that writes rows photo,label as a file and reads it; x and y are to be labelled, z is of the training part."""
    (here / "data").mkdir()
    pd.DataFrame({"photo": list("xyz"), "part": ["eval", "eval", "train"]}).to_csv("data/photos.csv", index=False)

    def read(*rows, model="age"):
        pd.DataFrame(rows, columns=["photo", "label"]).to_csv("mine.csv", index=False)
        return read_pseudo("mine.csv", model, section(model)).to_numpy().tolist()
    return read


def test_pseudo_labels_are_taken_as_they_are(pseudo):
    assert pseudo(("x", "under30"), ("y", "60plus")) == [["x", "under30"], ["y", "60plus"]]
    assert pseudo(("y", "bare_male_60plus"), model="joint") == [["y", "bare_male_60plus"]]


@pytest.mark.parametrize("rows, named", [
    ([("x", "60plus"), ("z", "60plus")], "mine.csv: 'z' and 0 more photos are not among those to label"),
    ([("x", "worn")], "mine.csv: label 'worn' is none that age learns; allowed are under30, 30to59, 60plus"),
    ([("x", "60plus"), ("x", "under30")], "mine.csv: 'x' is listed twice"),
])
def test_pseudo_labels_that_cannot_be_are_one_line(pseudo, rows, named):
    with pytest.raises(UserError) as error:
        pseudo(*rows)
    assert str(error.value).startswith(named)


def test_the_values_that_each_model_learns_are_an_out_of_its_own(own):
    """So that another value of the mask changes no dep of the age model's training."""
    said = {name: json.loads((own.root / f"data/labels/{name}.json").read_text()) for name in CONTEST.attributes}
    assert said == {"mask": {"mask": ["worn", "incorrect", "bare"]}, "gender": {"gender": ["male", "female"]},
                    "age": {"age": [30, 60]}}
    before = {file.name: file.read_bytes() for file in (own.root / "data/labels").iterdir()}
    own.set(classes__mask=["worn", "incorrect", "bare", "other"])
    for name in CONTEST.attributes:
        done = own.python("stages.labels", name)
        assert done.returncode == 0, done.stderr
    after = {file.name: file.read_bytes() for file in (own.root / "data/labels").iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"mask.json"}
