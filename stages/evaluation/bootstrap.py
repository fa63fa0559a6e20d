"""How far a score may be off by chance: the bootstrap over people, Efron and Tibshirani, "An Introduction to the Bootstrap",
1993, chapter 13 (percentiles).

People are drawn, not photos, for the photos of one person are near copies. They are drawn within every gender and age
group, as the folds are: macro F1 counts a class of three people as much as one of three hundred, and in a draw without
them it would be 0. Draws of m people out of m vary by (m - 1) / m of what they should, much where groups are small, so m - 1
are drawn, and each counts m / (m - 1) times (Rao and Wu, "Resampling Inference With Complex Survey Data", JASA 83, 1988).
Whoever is alone in a group is in every draw, once: of such a class nobody knows how far it is off.
"""
from functools import lru_cache

import numpy as np

from stages.core.classes import ATTRIBUTES, CLASSES, VALUES, decode

DRAWS = 2000


def draw_people(cells: np.ndarray, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """How much each person (P,) counts in each draw: (draws, P). cells: (P,) the group within which each is drawn."""
    rng, times = np.random.default_rng(seed), np.ones((draws, len(cells)))
    for cell in np.unique(cells):
        [members] = np.nonzero(cells == cell)
        if (size := len(members)) > 1:
            times[:, members] = rng.multinomial(size - 1, np.full(size, 1 / size), draws) * (size / (size - 1))
    return times


@lru_cache(2)
def draws_of_groups(cells: tuple[int, ...], draws: int) -> np.ndarray:
    """draw_people's, kept for the next labels of the same people: of some hundred people they take most of the time."""
    return draw_people(np.array(cells), draws)


def counts(true: np.ndarray, guess: np.ndarray, person: np.ndarray, classes: int) -> np.ndarray:
    """Of each person, by class: photos rightly labelled, photos of it, photos labelled so; (P, 3, classes) of arrays (N,).

    person: (N,) from 0 to P - 1; a guess from 0 to classes - 1.
    """
    out = np.zeros((person.max() + 1, 3, classes), np.int32)
    for kind, label, photos in ((0, true, true == guess), (1, true, slice(None)), (2, guess, slice(None))):
        np.add.at(out, (person[photos], kind, label[photos]), 1)
    return out


def f1_of_draws(times: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Macro F1 of each draw (draws,), from draw_people's (draws, P) and counts' (P, 3, classes)."""
    sums = times @ people.reshape(len(people), -1).astype(float)  # rounded below, since BLAS adds in any order
    right, labels, guesses = np.moveaxis(sums.reshape(len(times), 3, -1).round(6), 1, 0)
    return (2 * right / np.maximum(labels + guesses, 1)).mean(1)


def scores_of_draws(true: np.ndarray, guess: np.ndarray, people: np.ndarray, draws: int = DRAWS) -> dict[str, np.ndarray]:
    """Macro F1 (draws,) of the 18 classes, as "f1", and of each attribute, of arrays (N,): classes and whose photos.

    The draws are the same for whatever labels the same photos, so the differences of two are paired.
    """
    _, first, person = np.unique(people, return_index=True, return_inverse=True)
    times = draws_of_groups(tuple(true[first] % 6), draws)  # gender and age group: what remains of the class without the mask
    out = {"f1": f1_of_draws(times, counts(true, guess, person, len(CLASSES)))}
    for attribute, a, b in zip(ATTRIBUTES, decode(true), decode(guess)):
        out[attribute] = f1_of_draws(times, counts(a, b, person, len(VALUES[attribute])))
    return out


def interval(values: np.ndarray) -> tuple[float, float]:
    """The middle 95% of the draws."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
