"""Scores are the contest's: 18 fixed classes, and a class that nobody predicts counts 0."""
import numpy as np
import pytest

from stages.core.classes import CLASSES, decode
from stages.core.metrics import macro_f1, scores, shares

RNG = np.random.default_rng(0)
TRUE, GUESS = RNG.integers(0, 18, 400), RNG.integers(0, 18, 400)


def f1_of(label, true, guess):
    hit = ((true == label) & (guess == label)).sum()
    return 2 * hit / max(1, (true == label).sum() + (guess == label).sum())


def test_macro_f1_is_the_mean_over_18_fixed_classes():
    true, guess = np.array([0, 0, 5]), np.array([0, 1, 5])
    assert macro_f1(true, guess, 18) == pytest.approx((2 / 3 + 0 + 1) / 18)


def test_scores_agree_with_a_count_by_hand():
    out = scores(TRUE, GUESS)
    each = [f1_of(label, TRUE, GUESS) for label in range(18)]
    assert list(out["f1_by_class"].values()) == pytest.approx(each)
    assert out["f1"] == pytest.approx(np.mean(each))
    assert out["accuracy"] == pytest.approx((TRUE == GUESS).mean())
    for attribute, true, guess in zip(("mask", "gender", "age"), decode(TRUE), decode(GUESS)):
        count = true.max() + 1
        assert out[attribute]["f1"] == pytest.approx(np.mean([f1_of(c, true, guess) for c in range(count)]))


def test_a_right_answer_everywhere_scores_one():
    out = scores(np.arange(18), np.arange(18))
    assert out["f1"] == out["accuracy"] == out["age"]["f1"] == 1


def test_shares_of_labels_and_of_predictions_each_sum_to_one():
    share = shares(TRUE, GUESS)
    assert list(share) == list(CLASSES)
    for side in ("label", "predicted"):
        assert sum(row[side] for row in share.values()) == pytest.approx(1)
    assert share[CLASSES[4]]["label"] == pytest.approx((TRUE == 4).mean())
