"""Offsets raise macro F1 where something can be won, honestly, and where labels say nothing they win nothing."""
import numpy as np
import pytest

from stages.core.classes import CLASSES, decode
from stages.core.metrics import macro_f1
from stages.voting.class_offsets import decide, fast_f1, find_offsets, joint


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


def test_the_joint_probabilities_are_the_products_and_their_likeliest_the_likeliest_of_each():
    rng = np.random.default_rng(0)
    parts = [rng.dirichlet(np.ones(n), 50) for n in (3, 2, 3)]
    chances = joint(*parts)
    assert chances.shape == (50, len(CLASSES))
    np.testing.assert_allclose(chances.sum(1), 1)
    for part, chosen in zip(parts, decode(chances.argmax(1))):
        np.testing.assert_array_equal(part.argmax(1), chosen)


def test_offsets_raise_the_f1_of_people_on_whom_they_were_not_found(crowd):
    logs, true, people = crowd
    chosen, offsets = decide(logs, true, people, np.ones(len(true), bool))
    assert fast_f1(true, chosen, 3) > fast_f1(true, logs.argmax(1), 3) + 0.03
    assert offsets[2] > offsets[0]


def test_offsets_found_on_shuffled_labels_win_nothing_on_held_out_people(crowd):
    logs, true, people = crowd
    gains = []
    for seed in range(5):
        shuffled = np.repeat(np.random.default_rng(seed).permutation(true[::4]), 4)
        chosen, _ = decide(logs, shuffled, people, np.ones(len(true), bool))
        gains.append(fast_f1(shuffled, chosen, 3) - fast_f1(shuffled, logs.argmax(1), 3))
    assert abs(np.mean(gains)) < 0.05


def test_nobody_is_decided_by_offsets_that_saw_their_own_label(crowd):
    logs, true, people = crowd
    everyone = np.ones(len(true), bool)
    before, _ = decide(logs, true, people, everyone)
    for person in (0, 7, 123):
        other = np.where(people == person, (true + 1) % 3, true)
        after, _ = decide(logs, other, people, everyone)
        np.testing.assert_array_equal(after[people == person], before[people == person])


def test_who_has_no_label_is_decided_by_offsets_found_on_all_who_have_one(crowd):
    logs, true, people = crowd
    known = people < 200
    chosen, offsets = decide(logs, np.where(known, true, -1), people, known)
    np.testing.assert_array_equal(offsets, find_offsets(logs[known], true[known]))
    np.testing.assert_array_equal(chosen[~known], (logs[~known] + offsets).argmax(1))


def test_without_labels_the_likeliest_is_taken(crowd):
    logs, true, people = crowd
    chosen, offsets = decide(logs, true, people, np.zeros(len(true), bool))
    np.testing.assert_array_equal(chosen, logs.argmax(1))
    assert not offsets.any()
