"""Samplers: an epoch draws each photo once, or rare classes as often as common ones."""
import numpy as np
import torch
from torch.utils.data import WeightedRandomSampler


def balance_key(kind: str, classes: np.ndarray, cells: np.ndarray) -> np.ndarray | None:
    """The key (N,) to balance: of kind "class" or "cell" (gender x age group); None of kind "none"."""
    return {"class": classes, "cell": cells, "none": None}[kind]


def weights_by(key: np.ndarray) -> np.ndarray:
    """Sampling weights (N,): 1 / frequency of the photo's key, so that all keys are drawn equally often."""
    _, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
    return 1 / counts[inverse]


def draw(weights: np.ndarray | None, count: int, seed: int, epoch: int) -> np.ndarray:
    """Positions of an epoch, (count,): all, shuffled; with weights (N,) drawn with replacement."""
    rng = np.random.default_rng([seed, epoch])
    if weights is None:
        return rng.permutation(count)
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    return np.array(list(WeightedRandomSampler(weights, count, generator=generator)))
