"""The 18 classes are the contest's."""
import numpy as np

from stages.lib.classes import CLASSES, age_group, decode, encode


def test_the_class_is_mask_times_6_plus_gender_times_3_plus_age():
    parts = [(m, g, a) for m in range(3) for g in range(2) for a in range(3)]
    assert [encode(*part) for part in parts] == list(range(18))
    assert [decode(label) for label in range(18)] == parts


def test_classes_are_named_in_their_order():
    assert CLASSES[encode(0, 1, 2)] == "worn_female_60plus"
    assert CLASSES[encode(2, 0, 0)] == "bare_male_under30"


def test_the_age_groups_begin_at_30_and_60():
    assert list(age_group(np.array([0, 29, 30, 59, 60, 120]))) == [0, 0, 1, 1, 2, 2]
