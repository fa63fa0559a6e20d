"""Temperature scaling: probabilities that are as sure as they are right.

Guo et al., "On Calibration of Modern Neural Networks", 2017, section 4.2: one number a network, which changes no argmax.
Networks with label smoothing or few epochs are less sure than they are right, large ones more. Scaled alike, their mean is
spread like each of them, so that offsets found on one network's predictions fit the vote of several.
"""
import numpy as np
from scipy.optimize import minimize_scalar

LIMIT = 10.0  # temperatures are searched from 1 / LIMIT to LIMIT


def scale(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(log p / temperature), (N, C): above 1 less sure, below 1 surer."""
    logs = np.log(np.clip(probabilities, 1e-12, None)) / temperature
    powers = np.exp(logs - logs.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def find_temperature(probabilities: np.ndarray, true: np.ndarray) -> float:
    """The temperature of the lowest log loss on probabilities (N, C) of photos whose classes are `true` (N,).

    It is one number, so the people on whom it was found flatter its score very little.
    """
    rows = np.arange(len(true))

    def log_loss(log_temperature: float) -> float:
        return -np.log(np.clip(scale(probabilities, np.exp(log_temperature))[rows, true], 1e-12, None)).mean()
    return float(np.exp(minimize_scalar(log_loss, bounds=(-np.log(LIMIT), np.log(LIMIT)), method="bounded").x))
