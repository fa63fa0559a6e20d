"""The 18 classes are the contest's."""
import numpy as np
import pandas as pd

from stages.core.classes import CLASSES, age_group, classes_of, decode, encode


def test_the_class_is_mask_times_6_plus_gender_times_3_plus_age():
    parts = [(m, g, a) for m in range(3) for g in range(2) for a in range(3)]
    assert [encode(*part) for part in parts] == list(range(18))
    assert [decode(label) for label in range(18)] == parts


def test_classes_are_named_in_their_order():
    assert CLASSES[encode(0, 1, 2)] == "worn_female_60plus"
    assert CLASSES[encode(2, 0, 0)] == "bare_male_under30"


def test_the_age_groups_begin_at_30_and_60():
    assert list(age_group(np.array([0, 29, 30, 59, 60, 120]))) == [0, 0, 1, 1, 2, 2]


def test_the_score_always_uses_30_and_60():
    assert classes_of(pd.DataFrame({"age": ["20", "29", "30", "59", "60", "75"]})).tolist() == [0, 0, 1, 1, 2, 2]


def test_names_become_classes_in_their_order():
    assert classes_of(pd.DataFrame({"mask": ["bare", "worn", "incorrect"]})).tolist() == [2, 0, 1]
    assert classes_of(pd.DataFrame({"gender": ["female", "male"]})).tolist() == [1, 0]


def test_all_three_become_one_of_the_18_classes():
    labels = pd.DataFrame({"mask": ["incorrect", "bare"], "gender": ["male", "female"], "age": ["59", "28"]})
    assert classes_of(labels).tolist() == [1 * 6 + 0 * 3 + 1, 2 * 6 + 1 * 3 + 0]
