"""Offsets raise macro F1 where something can be won, honestly, and where labels say nothing they win nothing."""
import numpy as np
import pytest
from scipy.special import softmax

from labeller.voting.probabilities import scale
from stages.core.classes import CONTEST, make_classes
from stages.core.metrics import macro_f1
from stages.voting.calibration import find_temperature
from stages.voting.class_offsets import cross_fitted, fast_f1, find_offsets, groups_of


@pytest.fixture
def crowd():
    """Log-probabilities of three classes for 1,200 photos of 300 people, true classes (one is rare), and people.

    The probabilities are right, so that the rare class is nearly never the likeliest.
    """
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(300), 4)
    true = np.repeat(rng.choice(3, 300, p=[0.6, 0.34, 0.06]), 4)
    seen = np.eye(3)[true] * 1.2 + rng.normal(0, 1, (1200, 3))
    chances = np.exp(1.2 * seen) * [0.6, 0.34, 0.06]
    return np.log(chances / chances.sum(1, keepdims=True)), true, people


def test_the_quick_f1_is_the_contests():
    rng = np.random.default_rng(0)
    true, guess = rng.integers(0, 4, 200), rng.integers(0, 5, 200)  # class 4 is guessed and nobody's, 5 is neither
    assert fast_f1(true, guess, 6) == pytest.approx(macro_f1(true, guess, 6))


def test_offsets_raise_the_f1_of_people_on_whom_they_were_not_found(crowd):
    logs, true, people = crowd
    chosen, offsets = cross_fitted(logs, true, people, np.ones(len(true), bool))
    assert fast_f1(true, chosen, 3) > fast_f1(true, logs.argmax(1), 3) + 0.03
    assert offsets[2] > offsets[0]


def test_offsets_found_on_shuffled_labels_win_nothing_on_held_out_people(crowd):
    logs, true, people = crowd
    gains = []
    for seed in range(5):
        shuffled = np.repeat(np.random.default_rng(seed).permutation(true[::4]), 4)
        chosen, _ = cross_fitted(logs, shuffled, people, np.ones(len(true), bool))
        gains.append(fast_f1(shuffled, chosen, 3) - fast_f1(shuffled, logs.argmax(1), 3))
    assert abs(np.mean(gains)) < 0.05


def test_nobody_is_decided_by_offsets_that_saw_their_own_label(crowd):
    logs, true, people = crowd
    everyone = np.ones(len(true), bool)
    before, _ = cross_fitted(logs, true, people, everyone)
    for person in (0, 7, 123):
        other = np.where(people == person, (true + 1) % 3, true)
        after, _ = cross_fitted(logs, other, people, everyone)
        np.testing.assert_array_equal(after[people == person], before[people == person])


def test_who_has_no_label_is_decided_by_offsets_found_on_all_who_have_one(crowd):
    logs, true, people = crowd
    known = people < 200
    chosen, offsets = cross_fitted(logs, np.where(known, true, -1), people, known)
    np.testing.assert_array_equal(offsets, find_offsets(logs[known], true[known]))
    np.testing.assert_array_equal(chosen[~known], (logs[~known] + offsets).argmax(1))


def test_without_labels_the_likeliest_is_taken(crowd):
    logs, true, people = crowd
    chosen, offsets = cross_fitted(logs, true, people, np.zeros(len(true), bool))
    np.testing.assert_array_equal(chosen, logs.argmax(1))
    assert not offsets.any()


def test_classes_of_one_group_share_their_offset(crowd):
    logs, true, _ = crowd
    twice = np.concatenate([logs + np.log(0.7), logs + np.log(0.3)], 1)  # each class in two states, drawn at random
    state = np.random.default_rng(1).random(len(true)) < 0.3
    offsets = find_offsets(twice, true + 3 * state, np.arange(6) % 3)
    assert (offsets[:3] == offsets[3:]).all() and offsets[2] > offsets[0]


def test_groups_of_one_class_each_are_no_groups(crowd):
    logs, true, _ = crowd
    np.testing.assert_array_equal(find_offsets(logs, true, np.array([4, 7, 9])), find_offsets(logs, true))


def test_cell_offsets_are_of_gender_and_age_group_whatever_the_mask():
    _, gender, age = CONTEST.decode(np.arange(18))
    groups = groups_of("cell_offsets", CONTEST)
    assert len(set(groups)) == 6
    assert all((groups[a] == groups[b]) == ((gender[a], age[a]) == (gender[b], age[b])) for a in range(18) for b in range(18))
    assert len(set(groups_of("offsets", CONTEST))) == 18


def test_cell_offsets_of_other_classes_are_of_their_genders_and_age_groups():
    other = make_classes({"mask": "ab", "glasses": "cd", "gender": "ef", "age": ""}, (20, 40, 60))
    values = dict(zip(other.attributes, other.decode(np.arange(other.count))))
    groups = groups_of("cell_offsets", other)
    assert len(set(groups)) == 8
    assert len({*zip(groups, values["gender"], values["age"])}) == 8
    assert set(groups_of("cell_offsets", other.only(["mask", "glasses"]))) == {0}


def votes(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Classes (N,), the last of them rare, and the honest probabilities (5, N, 3) of five networks that differ much."""
    rng, shares = np.random.default_rng(seed), np.array([0.6, 0.34, 0.06])
    true = rng.choice(3, count, p=shares)
    seen = np.eye(3)[true] * 1.6 + rng.normal(0, 1, (count, 3)) + rng.normal(0, 2, (5, count, 3))
    return true, softmax(0.32 * seen + np.log(shares), axis=2)


def decided_f1(voted: np.ndarray, true: np.ndarray, offsets: np.ndarray) -> float:
    """Of the mean of several networks' probabilities (M, N, C), decided with offsets (C,)."""
    return fast_f1(true, (np.log(voted.mean(0)) + offsets).argmax(1), len(offsets))


def test_offsets_of_one_calibrated_network_fit_the_vote_of_five_that_were_too_sure():
    gains, gaps = [], []
    for seed in range(4):
        (true, honest), (hidden, voted) = votes(seed, 20000), votes(seed + 10, 20000)
        best = decided_f1(voted, hidden, find_offsets(np.log(voted.mean(0)), hidden))
        sure, voted = (np.stack([scale(one, 0.4) for one in part]) for part in (honest, voted))
        raw = decided_f1(voted, hidden, find_offsets(np.log(sure[0]), true))
        found = [find_temperature(one, true) for one in sure]
        sure, voted = (np.stack([scale(one, t) for one, t in zip(part, found)]) for part in (sure, voted))
        calibrated = decided_f1(voted, hidden, find_offsets(np.log(sure[0]), true))
        gains.append(calibrated - raw)
        gaps.append(best - calibrated)
    assert np.mean(gains) > 0.01
    assert np.mean(gaps) < 0.02
