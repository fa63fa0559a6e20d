"""From probabilities of the 18 classes to one class: the likeliest, or the likeliest after an offset for each class.

The likeliest class is best for accuracy. Macro F1 counts a rare class as much as a common one, so that a rare one may
be chosen sooner: reference system R4 did this by hand for the oldest. Here offsets are added to the log-probabilities,
found by coordinate ascent on the people whom no specialist has seen. Lipton, Elkan and Naryanaswamy, "Optimal
Thresholding of Classifiers to Maximize F1 Measure", 2014, show why the best threshold of F1 is not a half.
"""
import numpy as np

STEPS = np.linspace(-2, 2, 41)  # offsets that are tried, in units of log-probability
ROUNDS, PARTS = 3, 5


def joint(mask: np.ndarray, gender: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Probabilities (N, 18) of the classes from those of the attributes, (N, 3), (N, 2) and (N, 3)."""
    chances = mask[:, :, None, None] * gender[:, None, :, None] * age[:, None, None, :]
    return chances.reshape(len(mask), -1)


def find_offsets(logs: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Offsets (C,) with which the likeliest classes of logs (N, C) have the highest macro F1 against true (N,).

    One class after the other takes the offset that is best with the others as they are, and moves from where it is only
    for a better one: of equals among these the one nearest to 0 is taken.
    """
    offsets = np.zeros(logs.shape[1])
    best = fast_f1(true, logs.argmax(1), len(offsets))
    for _ in range(ROUNDS):
        for c in range(len(offsets)):
            others = logs + offsets
            others[:, c] = -np.inf
            rival, lead = others.argmax(1), others.max(1) - logs[:, c]  # c is chosen where its offset is above the lead
            for step in sorted(STEPS, key=abs):
                score = fast_f1(true, np.where(step > lead, c, rival), len(offsets))
                if score > best + 1e-9:
                    best, offsets[c] = score, step
    return offsets


def fast_f1(true: np.ndarray, guess: np.ndarray, classes: int) -> float:
    """Macro F1 as stages/core/metrics.py has it, from counts, since it is taken thousands of times."""
    right = np.bincount(true[true == guess], minlength=classes)
    either = np.bincount(true, minlength=classes) + np.bincount(guess, minlength=classes)
    return float(np.mean(2 * right / np.maximum(either, 1)))


def decide(logs: np.ndarray, true: np.ndarray, people: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Classes (N,) of logs (N, C) by offsets, and the offsets (C,) for whoever has no label.

    known (N,) says whose class `true` (N,) is to be had. They are decided by offsets found on other people (cross-fitted
    in PARTS parts of people (N,)), so that a score of them is honest; the others by offsets found on all who are known.
    """
    out = logs.argmax(1)
    names = np.unique(people[known])
    parts = np.random.default_rng(0).permutation(len(names)) % min(PARTS, max(1, len(names)))
    part = np.full(len(logs), -1)
    part[known] = parts[np.searchsorted(names, people[known])]
    for k in range(parts.max(initial=-1) + 1):
        learn, use = known & (part != k), part == k
        if learn.any():
            out[use] = (logs[use] + find_offsets(logs[learn], true[learn])).argmax(1)
    offsets = find_offsets(logs[known], true[known]) if known.any() else np.zeros(logs.shape[1])
    out[~known] = (logs[~known] + offsets).argmax(1)
    return out, offsets
