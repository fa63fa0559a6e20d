"""Intervals say how far a score may be off by chance: over people, not photos."""
import numpy as np
import pytest
from sklearn.metrics import f1_score

from stages.core.classes import CONTEST
from stages.core.metrics import macro_f1, scores, with_values
from stages.evaluation.bootstrap import cells_of, counts, draw_people, f1_of_draws, interval, scores_of_draws


@pytest.fixture
def crowd():
    """120 people, seven photos each: classes, guesses that are right of three people in four, and whose photos."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(120), 7)
    cell = np.repeat(rng.choice(6, 120), 7)
    true = CONTEST.encode(np.tile([0, 0, 0, 0, 0, 1, 2], 120), cell // 3, cell % 3)
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
    sides = with_values(true, CONTEST), with_values(guess, CONTEST)
    score = scores(*sides, CONTEST)
    draws = scores_of_draws(*sides, people, CONTEST)
    for name, value in (("f1", score["f1"]), ("age", score["age"]["f1"])):
        low, high = interval(draws[name])
        assert low < value < high
    low, high = interval(scores_of_draws(*sides, np.arange(len(true)), CONTEST)["f1"])
    wide = interval(draws["f1"])
    assert wide[1] - wide[0] > 1.5 * (high - low)


def test_the_same_photos_have_the_same_draws_so_that_no_change_is_no_difference(crowd):
    true, guess, people = crowd
    sides = with_values(true, CONTEST), with_values(guess, CONTEST)
    a, b = scores_of_draws(*sides, people, CONTEST), scores_of_draws(sides[0], sides[1].copy(), people, CONTEST)
    assert (a["f1"] == b["f1"]).all()


def test_people_whose_labels_are_partly_missing_count_for_what_is_known(crowd):
    true, guess, people = crowd
    sides, whole = with_values(true, CONTEST), with_values(guess, CONTEST)
    unknown = people < 30
    partly = sides.assign(**{"mask": np.where(unknown, -1, sides["mask"]), "class": np.where(unknown, -1, sides["class"])})
    draws, full = scores_of_draws(partly, whole, people, CONTEST), scores_of_draws(sides, whole, people, CONTEST)
    assert (draws["age"] == full["age"]).all()  # the same draws of the same people
    low, high = interval(draws["mask"])
    assert low < scores(sides[~unknown], whole[~unknown], CONTEST)["mask"]["f1"] < high
    assert (draws["mask"] != full["mask"]).any()


def test_people_of_unknown_gender_or_age_are_drawn_among_themselves(crowd):
    true, _, _ = crowd
    sides = with_values(true, CONTEST)
    sides.loc[:9, "gender"], sides.loc[10:19, "age"] = -1, -1
    cells = cells_of(sides, CONTEST)
    same = {key: set(cells[rows]) for key, rows in sides.groupby(["gender", "age"]).indices.items()}
    assert all(len(own) == 1 for own in same.values())
    assert len(set.union(*same.values())) == len(same)


def test_classes_of_nobody_have_draws_of_0_and_the_known_ones_theirs(crowd):
    true, guess, people = crowd
    sides, whole = with_values(true, CONTEST), with_values(guess, CONTEST)
    draws = scores_of_draws(sides.assign(**{"mask": -1, "class": -1}), whole, people, CONTEST)
    assert not draws["f1"].any() and not draws["mask"].any()
    assert (draws["gender"] == scores_of_draws(sides, whole, people, CONTEST)["gender"]).all()
