"""Confidence intervals of macro F1 by a stratified bootstrap over people.

Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentiles). It draws people, not photos,
since the photos of one person are near copies. It draws them within each gender and age group, as the folds are: macro F1
counts a class of three people as much as one of three hundred, and a class missing from a draw would count 0. Draws of m
people out of m have only (m - 1) / m of the variance, too little in small groups, so m - 1 are drawn, and each counts
m / (m - 1) times (Rao and Wu, "Resampling Inference With Complex Survey Data", JASA 83, 1988). The only person of a group
is in every draw, once: nothing is known of the variance of such a class.
"""
from functools import lru_cache

import numpy as np
import pandas as pd

from stages.core.classes import OF_PERSON, Classes
from stages.core.metrics import CLASS

DRAWS = 2000


def draw_people(cells: np.ndarray, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Weights (draws, P) of P people in each draw. cells: (P,) the group within which each person is drawn."""
    rng, times = np.random.default_rng(seed), np.ones((draws, len(cells)))
    for cell in np.unique(cells):
        [members] = np.nonzero(cells == cell)
        if (size := len(members)) > 1:
            times[:, members] = rng.multinomial(size - 1, np.full(size, 1 / size), draws) * (size / (size - 1))
    return times


@lru_cache(2)
def draws_of_groups(cells: tuple[int, ...], draws: int) -> np.ndarray:
    """draw_people, cached for other predictions: with some hundred people it takes most of the time."""
    return draw_people(np.array(cells), draws)


def counts(true: np.ndarray, guess: np.ndarray, person: np.ndarray, classes: int) -> np.ndarray:
    """Photos of each person by class, (P, 3, classes): true positives, photos truly of it, photos predicted as it.

    true, guess: (N,), from 0 to classes - 1; photos whose true one is -1 do not count. person: (N,), from 0 to P - 1.
    """
    out, known = np.zeros((person.max() + 1, 3, classes), np.int32), true >= 0
    true, guess, person = true[known], guess[known], person[known]
    for kind, label, photos in ((0, true, true == guess), (1, true, slice(None)), (2, guess, slice(None))):
        np.add.at(out, (person[photos], kind, label[photos]), 1)
    return out


def f1_of_draws(times: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Macro F1 of each draw, (draws,), from weights (draws, P) of draw_people and counts (P, 3, classes)."""
    sums = times @ people.reshape(len(people), -1).astype(float)  # rounded below, since BLAS adds in any order
    right, labels, guesses = np.moveaxis(sums.reshape(len(times), 3, -1).round(6), 1, 0)
    return (2 * right / np.maximum(labels + guesses, 1)).mean(1)


def cells_of(true: pd.DataFrame, classes: Classes) -> np.ndarray:
    """Gender and age group of each row, (N,), as one number, in the order of the classes; a missing label is a value, too."""
    cells = np.zeros(len(true), int)
    for attribute in classes.only(OF_PERSON).attributes:
        cells = cells * (len(classes.values[attribute]) + 1) + true[attribute].to_numpy() + 1
    return cells


def scores_of_draws(true: pd.DataFrame, guess: pd.DataFrame, people: np.ndarray, classes: Classes,
                    draws: int = DRAWS) -> dict[str, np.ndarray]:
    """Macro F1 of each draw, (draws,): "f1" of the joint classes, and each attribute's. people: (N,).

    true, guess: (N rows) a column an attribute, and CLASS; -1 where a true one is missing. All predictions for the same
    photos get the same draws, so that differences between two are paired.
    """
    _, first, person = np.unique(people, return_index=True, return_inverse=True)
    times, out = draws_of_groups(tuple(cells_of(true.iloc[first], classes)), draws), {}
    for name, column, count in (("f1", CLASS, classes.count), *((a, a, len(v)) for a, v in classes.values.items())):
        photos = counts(true[column].to_numpy(), guess[column].to_numpy(), person, count)
        out[name] = f1_of_draws(times, photos)
    return out


def interval(values: np.ndarray) -> tuple[float, float]:
    """The 95% percentile interval of the draws: low, high."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
