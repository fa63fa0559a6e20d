"""The votes of networks, models and ballots, for the pipeline's stage `combine` and for a bundle."""
import numpy as np

from labeller.voting.probabilities import logs_of, scale
from labeller.voting.vote import vote


def vote_of_model(probabilities: list[np.ndarray], temperatures: list[float], rule: str, weights=None) -> np.ndarray:
    """One vote (N, C) of networks' probabilities, each (N, C), scaled by its temperature (1: as it is)."""
    scaled = [each if temperature == 1 else scale(each, temperature)
              for each, temperature in zip(probabilities, temperatures)]
    return vote(np.stack(scaled), rule, weights)


def vote_on_ballots(ballots: dict[str, np.ndarray], weights: dict[str, float], rule: str) -> np.ndarray:
    """Probabilities (N, C) from the ballots, each (N, C): one of each joint model, and one of all specialists together."""
    names = [name for name in ballots if weights[name]]
    if len(names) == 1:
        return ballots[names[0]]
    return vote(np.stack([ballots[name] for name in names]), rule, [weights[name] for name in names])


def decide(probabilities: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Classes (N,) of probabilities (N, C) with offsets (C,) on their logarithms."""
    return (logs_of(probabilities) + offsets).argmax(1)
