"""Scores are the contest's: 18 fixed classes, and a class that nobody predicts counts 0."""
import numpy as np
import pytest

from stages.core.classes import CONTEST
from stages.core.metrics import macro_f1, scores, shares, with_values

RNG = np.random.default_rng(0)
TRUE, GUESS = RNG.integers(0, 18, 400), RNG.integers(0, 18, 400)


def f1_of(label, true, guess):
    hit = ((true == label) & (guess == label)).sum()
    return 2 * hit / max(1, (true == label).sum() + (guess == label).sum())


def test_macro_f1_is_the_mean_over_18_fixed_classes():
    true, guess = np.array([0, 0, 5]), np.array([0, 1, 5])
    assert macro_f1(true, guess, 18) == pytest.approx((2 / 3 + 0 + 1) / 18)


def test_scores_agree_with_a_count_by_hand():
    out = scores(with_values(TRUE, CONTEST), with_values(GUESS, CONTEST), CONTEST)
    each = [f1_of(label, TRUE, GUESS) for label in range(18)]
    assert list(out["f1_by_class"].values()) == pytest.approx(each)
    assert out["f1"] == pytest.approx(np.mean(each))
    assert out["accuracy"] == pytest.approx((TRUE == GUESS).mean())
    for attribute, true, guess in zip(("mask", "gender", "age"), CONTEST.decode(TRUE), CONTEST.decode(GUESS)):
        count = true.max() + 1
        assert out[attribute]["f1"] == pytest.approx(np.mean([f1_of(c, true, guess) for c in range(count)]))


def test_a_right_answer_everywhere_scores_one():
    every = with_values(np.arange(18), CONTEST)
    out = scores(every, every, CONTEST)
    assert out["f1"] == out["accuracy"] == out["age"]["f1"] == 1


def test_shares_of_labels_and_of_predictions_each_sum_to_one():
    share = shares(TRUE, GUESS, CONTEST)
    assert list(share) == list(CONTEST.names)
    for side in ("label", "predicted"):
        assert sum(row[side] for row in share.values()) == pytest.approx(1)
    assert share[CONTEST.names[4]]["label"] == pytest.approx((TRUE == 4).mean())


def test_photos_without_a_label_do_not_count():
    true, guess = with_values(TRUE, CONTEST), with_values(GUESS, CONTEST)
    partly = true.assign(mask=np.where(np.arange(len(TRUE)) < 100, -1, true["mask"]))
    partly["class"] = np.where(partly["mask"] < 0, -1, true["class"])
    out, rest = scores(partly, guess, CONTEST), scores(true[100:], guess[100:], CONTEST)
    assert out["mask"] == rest["mask"] and out["mask"]["photos"] == len(TRUE) - 100
    assert {key: out[key] for key in ("f1", "accuracy", "photos", "f1_by_class")} == {
        key: rest[key] for key in ("f1", "accuracy", "photos", "f1_by_class")}
    assert out["age"] == scores(true, guess, CONTEST)["age"]
    assert shares(partly["class"].to_numpy(), GUESS, CONTEST) == shares(TRUE[100:], GUESS[100:], CONTEST)


def test_what_has_no_labels_at_all_has_no_score():
    true, guess = with_values(TRUE, CONTEST), with_values(GUESS, CONTEST)
    out = scores(true.assign(**{"mask": -1, "class": -1}), guess, CONTEST)
    assert out["f1"] is None and out["mask"]["f1"] is None and out["mask"]["photos"] == out["photos"] == 0
    assert out["gender"]["f1"] > 0
