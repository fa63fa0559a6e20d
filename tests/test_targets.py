"""Moved borders and dropped ages change what is learnt, never what is scored."""
import pandas as pd

from stages.lib.targets import classes_of, for_training
from tests.test_losses import section

AGES = pd.DataFrame({"age": ["20", "29", "30", "57", "58", "59", "60", "75"]})
OFFICIAL = [0, 0, 1, 1, 1, 1, 2, 2]


def test_the_score_always_uses_30_and_60():
    assert classes_of(AGES).tolist() == OFFICIAL


def test_without_changes_the_model_learns_what_is_scored():
    target, kept = for_training(section(), AGES)
    assert target.tolist() == OFFICIAL
    assert kept.all()


def test_borders_move_the_training_classes():
    target, kept = for_training(section(border_low=29, border_high=58), AGES)
    assert target.tolist() == [0, 1, 1, 1, 2, 2, 2, 2]
    assert kept.all()


def test_dropped_ranges_leave_training_both_ends_included():
    target, kept = for_training(section(drop=[[28, 29], [57, 59]]), AGES)
    assert target.tolist() == OFFICIAL
    assert AGES.age[kept].tolist() == ["20", "30", "60", "75"]


def test_where_years_are_learnt_the_targets_are_years():
    target, kept = for_training(section(loss="year_distribution", drop=[[57, 59]]), AGES)
    assert target.tolist() == AGES.age.astype(int).tolist()
    assert AGES.age[~kept].tolist() == ["57", "58", "59"]


def test_names_become_classes_in_their_order():
    assert classes_of(pd.DataFrame({"mask": ["bare", "worn", "incorrect"]})).tolist() == [2, 0, 1]
    assert classes_of(pd.DataFrame({"gender": ["female", "male"]})).tolist() == [1, 0]


JOINT = pd.DataFrame({"mask": ["incorrect", "bare"], "gender": ["male", "female"], "age": ["59", "28"]})


def test_all_three_become_one_of_the_18_classes():
    assert classes_of(JOINT).tolist() == [1 * 6 + 0 * 3 + 1, 2 * 6 + 1 * 3 + 0]


def test_a_joint_model_has_borders_and_drops_too():
    target, kept = for_training(section("joint", border_high=58, drop=[[28, 29]]), JOINT)
    assert target.tolist() == [1 * 6 + 0 * 3 + 2, 2 * 6 + 1 * 3 + 0]
    assert kept.tolist() == [True, False]
