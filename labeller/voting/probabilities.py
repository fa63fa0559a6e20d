"""Probabilities of the joint classes from those of the attributes and back, and their temperature."""
import numpy as np


def joint(*attributes: np.ndarray) -> np.ndarray:
    """Probabilities (N, C1 * C2 * ...) of the joint classes from those of each attribute, (N, C1), (N, C2), ..."""
    out = np.ones((len(attributes[0]), 1))
    for each in attributes:
        out = (out[:, :, None] * each[:, None]).reshape(len(each), -1)
    return out


def marginal(probabilities: np.ndarray, sizes: tuple[int, ...], attribute: int) -> np.ndarray:
    """Probabilities (N, sizes[attribute]) of one attribute from those of the joint classes, (N, prod(sizes))."""
    others = tuple(axis + 1 for axis in range(len(sizes)) if axis != attribute)
    return probabilities.reshape(-1, *sizes).sum(others)


def scale(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(log p / temperature), (N, C): above 1 less sure, below 1 surer."""
    logs = np.log(np.clip(probabilities, 1e-12, None)) / temperature
    powers = np.exp(logs - logs.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def logs_of(probabilities: np.ndarray) -> np.ndarray:
    """Log-probabilities, clipped, since a vote may give 0."""
    return np.log(np.clip(probabilities, 1e-12, None))
