"""The 18 classes are the contest's, and other ones are numbered and named alike."""
import numpy as np
import pandas as pd
import pytest

from stages.core.classes import CONTEST, make_classes

OTHER = make_classes({"mask": ["on", "off"], "glasses": ["no", "yes"], "gender": ["male", "female"], "age": []}, (20, 40, 60))


def test_the_class_is_mask_times_6_plus_gender_times_3_plus_age():
    parts = [(m, g, a) for m in range(3) for g in range(2) for a in range(3)]
    assert [CONTEST.encode(*part) for part in parts] == list(range(18))
    assert [CONTEST.decode(label) for label in range(18)] == parts


def test_classes_are_named_in_their_order():
    assert CONTEST.names[CONTEST.encode(0, 1, 2)] == "worn_female_60plus"
    assert CONTEST.names[CONTEST.encode(2, 0, 0)] == "bare_male_under30"


def test_the_age_groups_begin_at_30_and_60():
    assert list(CONTEST.age_group(np.array([0, 29, 30, 59, 60, 120]))) == [0, 0, 1, 1, 2, 2]


def test_the_score_always_uses_30_and_60():
    ages = pd.DataFrame({"age": ["20", "29", "30", "59", "60", "75"]})
    assert CONTEST.only(["age"]).number(ages).tolist() == [0, 0, 1, 1, 2, 2]


def test_names_become_classes_in_their_order():
    assert CONTEST.only(["mask"]).number(pd.DataFrame({"mask": ["bare", "worn", "incorrect"]})).tolist() == [2, 0, 1]
    assert CONTEST.only(["gender"]).number(pd.DataFrame({"gender": ["female", "male"]})).tolist() == [1, 0]


def test_all_three_become_one_of_the_18_classes():
    labels = pd.DataFrame({"mask": ["incorrect", "bare"], "gender": ["male", "female"], "age": ["59", "28"]})
    assert CONTEST.number(labels).tolist() == [1 * 6 + 0 * 3 + 1, 2 * 6 + 1 * 3 + 0]


@pytest.mark.parametrize("classes", [CONTEST, OTHER, OTHER.only(["glasses", "age"]), CONTEST.only(["mask"])])
def test_each_joint_class_has_a_number_and_a_name_of_its_own(classes):
    numbers = np.arange(classes.count)
    assert classes.count == np.prod(classes.sizes) == len(set(classes.names))
    np.testing.assert_array_equal(classes.encode(*classes.decode(numbers)), numbers)
    for number in (0, classes.count // 2, classes.count - 1):
        parts = zip(classes.values.values(), classes.decode(number))
        assert classes.names[number] == "_".join(names[value] for names, value in parts)


def test_age_groups_are_named_after_their_borders():
    assert OTHER.values["age"] == ("under20", "20to39", "40to59", "60plus")
    assert OTHER.age_group(np.array([0, 19, 20, 39, 40, 59, 60])).tolist() == [0, 0, 1, 1, 2, 2, 3]


def test_a_photo_without_one_of_the_labels_has_no_joint_class():
    labels = pd.DataFrame({"mask": ["bare", "", "worn"], "gender": ["male", "male", "female"], "age": ["59", "28", ""]})
    assert CONTEST.number(labels).tolist() == [2 * 6 + 0 * 3 + 1, -1, -1]
    assert CONTEST.values_of("mask", labels["mask"]).tolist() == [2, -1, 0]
    assert CONTEST.values_of("age", labels.age).tolist() == [1, 0, -1]


@pytest.mark.parametrize("classes, cells", [
    (CONTEST, 6), (OTHER, 8), (OTHER.only(["mask", "age"]), 4), (CONTEST.only(["mask"]), 1)])
def test_classes_of_one_gender_and_age_group_are_one_cell_whatever_else_they_say(classes, cells):
    assert classes.cells == cells
    values = dict(zip(classes.attributes, classes.decode(np.arange(classes.count))))
    person = [tuple(values[name][i] for name in ("gender", "age") if name in values) for i in range(classes.count)]
    of_person = {key: set() for key in person}
    for i, key in enumerate(person):
        of_person[key].add(i % classes.cells)
    assert len(of_person) == cells
    assert all(len(found) == 1 for found in of_person.values())


def test_one_border_makes_two_age_groups():
    two = make_classes({"age": []}, (18,))
    assert two.names == ("under18", "18plus")
    assert two.number(pd.DataFrame({"age": ["17", "18", "", "0"]})).tolist() == [0, 1, -1, 0]


def test_other_borders_move_the_age_and_nothing_else():
    labels = pd.DataFrame({"mask": ["bare", "worn"], "gender": ["male", "female"], "age": ["29", ""]})
    assert CONTEST.number(labels, (28, 60)).tolist() == [2 * 6 + 0 * 3 + 1, -1]
