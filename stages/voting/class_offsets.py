"""Class offsets: added to the log-probabilities of the classes before the argmax, they raise macro F1.

The plain argmax is best for accuracy. Macro F1 counts a rare class as much as a common one, so it pays to choose a rare
one sooner: reference system R4 did this by hand for the oldest. Here the offsets are found by coordinate ascent on
out-of-fold predictions. Lipton, Elkan and Naryanaswamy, "Optimal Thresholding of Classifiers to Maximize F1 Measure",
2014, show why the best threshold for F1 is not a half.
"""
import numpy as np

from stages.core.classes import Classes

STEPS = np.linspace(-2, 2, 41)  # offsets to try, as log-probabilities
ROUNDS, PARTS = 3, 5  # of coordinate ascent, over all classes; of cross-fitting


def groups_of(decision: str, classes: Classes) -> np.ndarray:
    """The group, (C,), of each class that shares an offset: `offsets`, one a class; `cell_offsets`, one a gender and age
    group."""
    number = np.arange(classes.count)
    return {"offsets": number, "cell_offsets": number % classes.cells}[decision]


def find_offsets(logs: np.ndarray, true: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    """Offsets (C,) that maximise the macro F1 of the argmax of log-probabilities (N, C) against classes `true` (N,).

    groups: (C,) int, or None: classes of one group share their offset. Coordinate ascent: each group in turn takes its best
    offset with the others fixed. It changes its offset only for a higher score, and of equally good offsets takes the one
    nearest to 0.
    """
    offsets = np.zeros(logs.shape[1])
    groups = np.arange(len(offsets)) if groups is None else groups
    best = fast_f1(true, logs.argmax(1), len(offsets))
    for _ in range(ROUNDS):
        for group in np.unique(groups):
            inside = groups == group
            own, others = np.where(inside, logs, -np.inf), np.where(inside, -np.inf, logs + offsets)
            champion, rival = own.argmax(1), others.argmax(1)
            lead = others.max(1) - own.max(1)  # the group's likeliest class wins where its offset exceeds the lead
            for step in sorted(STEPS, key=abs):
                score = fast_f1(true, np.where(step > lead, champion, rival), len(offsets))
                if score > best + 1e-9:
                    best, offsets[inside] = score, step
    return offsets


def fast_f1(true: np.ndarray, guess: np.ndarray, classes: int) -> float:
    """Macro F1 as stages/core/metrics.py defines it, from counts, since it is computed thousands of times."""
    right = np.bincount(true[true == guess], minlength=classes)
    either = np.bincount(true, minlength=classes) + np.bincount(guess, minlength=classes)
    return float(np.mean(2 * right / np.maximum(either, 1)))


def cross_fitted(logs: np.ndarray, true: np.ndarray, people: np.ndarray, known: np.ndarray,
                 groups: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Classes (N,) by offsets on log-probabilities (N, C), and the offsets (C,) for photos without a label.

    groups: as in find_offsets.
    known: (N,) bool, whether `true` (N,) holds the class of a photo. Photos with a label get offsets found on other
    people (cross-fitted over PARTS parts of people (N,)), so that their score is honest; the rest get those found on all.
    """
    out = logs.argmax(1)
    names = np.unique(people[known])
    part_of_person = np.random.default_rng(0).permutation(len(names)) % min(PARTS, max(1, len(names)))
    part_of_photo = np.full(len(logs), -1)
    part_of_photo[known] = part_of_person[np.searchsorted(names, people[known])]
    for part in range(part_of_person.max(initial=-1) + 1):
        others, held_out = known & (part_of_photo != part), part_of_photo == part
        if others.any():
            out[held_out] = (logs[held_out] + find_offsets(logs[others], true[others], groups)).argmax(1)
    offsets = find_offsets(logs[known], true[known], groups) if known.any() else np.zeros(logs.shape[1])
    out[~known] = (logs[~known] + offsets).argmax(1)
    return out, offsets
