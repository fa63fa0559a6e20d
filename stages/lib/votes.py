"""Votes: the probabilities of several members for the same photos become one."""
import numpy as np


def vote(members: np.ndarray, rule: str) -> np.ndarray:
    """members: (M, N, C) probabilities of M members. Returns (N, C) whose rows sum to 1; the highest is the choice.

    soft: the mean. hard: the share of members that choose each class; where classes have the same number of votes,
    the soft vote among them decides, by less than any vote weighs.
    """
    soft = members.mean(0)
    if rule == "soft":
        return soft
    choices = np.eye(members.shape[2])[members.argmax(2)].mean(0)
    tie_break = soft / (2 * len(members))
    return (choices + tie_break) / (1 + 1 / (2 * len(members)))
