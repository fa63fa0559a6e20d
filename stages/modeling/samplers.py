"""Which photos an epoch draws: each once, or rare classes as often as common ones."""
import numpy as np
import torch
from torch.utils.data import WeightedRandomSampler


def key_of(kind: str, classes: np.ndarray, cells: np.ndarray) -> np.ndarray | None:
    """What is drawn evenly, (N,): the "class", the "cell" (gender x age group), or "none"."""
    return {"class": classes, "cell": cells, "none": None}[kind]


def weights_by(key: np.ndarray) -> np.ndarray:
    """Weight (N,) of each photo: 1 / how often its key occurs, so that all keys weigh the same."""
    _, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
    return 1 / counts[inverse]


def draw(weights: np.ndarray | None, count: int, seed: int, epoch: int) -> np.ndarray:
    """The positions of an epoch, (count,): all, shuffled, or with weights (N,) drawn with replacement."""
    rng = np.random.default_rng([seed, epoch])
    if weights is None:
        return rng.permutation(count)
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    return np.array(list(WeightedRandomSampler(weights, count, generator=generator)))
