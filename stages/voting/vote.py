"""Votes: the probabilities of several members for the same photos become one."""
import numpy as np


def vote(members: np.ndarray, rule: str, weights=None) -> np.ndarray:
    """members: (M, N, C) probabilities of M members; weights: (M,), 0 or more and not all 0, or None: all alike.

    Returns (N, C) whose rows sum to 1; the highest is the choice. soft: the weighted mean. hard: the share of votes that
    each class has; where classes have as many, the soft vote among them decides, by less than lies between any two.
    """
    weights = np.ones(len(members)) if weights is None else np.asarray(weights, float)
    members, weights = members[weights > 0], weights[weights > 0]
    soft = np.average(members, axis=0, weights=weights)
    if rule == "soft":
        return soft
    choices = np.average(np.eye(members.shape[2])[members.argmax(2)], axis=0, weights=weights)
    behind = choices.max(1, keepdims=True) - choices
    behind[behind < 1e-9] = weights.min() / weights.sum()
    least = behind.min(1, keepdims=True) / 2
    return (choices + least * soft) / (1 + least)
