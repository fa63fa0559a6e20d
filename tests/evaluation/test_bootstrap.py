"""Intervals say how far a score may be off by chance: over people, not photos."""
import numpy as np
import pytest
from sklearn.metrics import f1_score

from stages.core.classes import encode
from stages.core.metrics import macro_f1, scores
from stages.evaluation.bootstrap import counts, draw_people, f1_of_draws, interval, scores_of_draws


@pytest.fixture
def crowd():
    """120 people, seven photos each: classes, guesses that are right of three people in four, and whose photos."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(120), 7)
    cell = np.repeat(rng.choice(6, 120), 7)
    true = encode(np.tile([0, 0, 0, 0, 0, 1, 2], 120), cell // 3, cell % 3)
    wrong = np.repeat(rng.random(120) < 0.25, 7)
    return true, np.where(wrong, (true + 1) % 18, true), people


def test_each_draw_has_as_many_people_of_each_cell_as_there_are():
    cells = np.array([0] * 20 + [1] * 3 + [5])
    times = draw_people(cells, 500)
    for cell in (0, 1, 5):
        assert times[:, cells == cell].sum(1) == pytest.approx((cells == cell).sum())
    assert (times[:, 0] == 0).any()
    assert (times[:, 0] > 1).any()


@pytest.mark.parametrize("size", [2, 3, 10])
def test_draws_of_few_people_vary_as_the_samples_of_a_population_do(size):
    values = np.random.default_rng(size).normal(size=size)
    means = draw_people(np.zeros(size, int), 40_000) @ values / size
    assert means.mean() == pytest.approx(values.mean(), abs=0.02)
    assert means.std() == pytest.approx((values.var(ddof=1) / size) ** 0.5, rel=0.03)


def test_the_f1_of_everyone_once_is_the_contests(crowd):
    true, guess, people = crowd
    everyone = np.ones((1, 120), int)
    assert f1_of_draws(everyone, counts(true, guess, people, 18))[0] == pytest.approx(macro_f1(true, guess, 18))


def test_the_f1_of_a_draw_is_that_of_its_people(crowd):
    true, guess, people = crowd
    times = draw_people(true[::7] % 6, 5)
    each = [f1_score(true, guess, sample_weight=draw[people], average="macro", labels=range(18)) for draw in times]
    assert f1_of_draws(times, counts(true, guess, people, 18)) == pytest.approx(each)


def test_an_interval_holds_the_score_and_people_make_it_wider_than_photos_would(crowd):
    true, guess, people = crowd
    score = scores(true, guess)
    draws = scores_of_draws(true, guess, people)
    for name, value in (("f1", score["f1"]), ("age", score["age"]["f1"])):
        low, high = interval(draws[name])
        assert low < value < high
    low, high = interval(scores_of_draws(true, guess, np.arange(len(true)))["f1"])
    wide = interval(draws["f1"])
    assert wide[1] - wide[0] > 1.5 * (high - low)


def test_the_same_photos_have_the_same_draws_so_that_no_change_is_no_difference(crowd):
    true, guess, people = crowd
    a, b = scores_of_draws(true, guess, people), scores_of_draws(true, guess.copy(), people)
    assert (a["f1"] == b["f1"]).all()
