"""Soft and hard voting over the probabilities of several models, as in scikit-learn's VotingClassifier."""
import numpy as np


def vote(members: np.ndarray, rule: str, weights=None) -> np.ndarray:
    """One vote (N, C) from probabilities of M members (M, N, C); rows sum to 1, and the highest is the choice.

    weights: (M,), 0 or more and not all 0, or None: equal. rule: "soft", the weighted mean, or "hard", the share of votes
    of each class, where the soft vote breaks a tie by less than the gap to the next class.
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
