"""Moved borders and dropped ages change what is learnt, never what is scored."""
import pandas as pd

from stages.lib.targets import for_training, official
from tests.test_losses import section

AGES = pd.Series(["20", "29", "30", "57", "58", "59", "60", "75"])
OFFICIAL = [0, 0, 1, 1, 1, 1, 2, 2]


def test_the_score_always_uses_30_and_60():
    assert official("age", AGES).tolist() == OFFICIAL


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
    assert AGES[kept].tolist() == ["20", "30", "60", "75"]


def test_names_become_classes_in_their_order():
    assert official("mask", pd.Series(["bare", "worn", "incorrect"])).tolist() == [2, 0, 1]
    assert official("gender", pd.Series(["female", "male"])).tolist() == [1, 0]
