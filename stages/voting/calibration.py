"""Temperature scaling: probabilities that are as sure as they are right.

Guo et al., "On Calibration of Modern Neural Networks", 2017, section 4.2: one number a network, which changes no argmax.
Networks with label smoothing or few epochs are less sure than they are right, large ones more. Scaled alike, their mean is
spread like each of them, so that offsets found on one network's predictions fit the vote of several.
"""
import numpy as np
from scipy.optimize import minimize_scalar

from labeller.voting.probabilities import scale

LIMIT = 10.0  # temperatures are searched from 1 / LIMIT to LIMIT


def find_temperature(probabilities: np.ndarray, true: np.ndarray) -> float:
    """The temperature of the lowest log loss on probabilities (N, C) of photos whose classes are `true` (N,).

    It is one number, so the people on whom it was found flatter its score very little.
    """
    rows = np.arange(len(true))

    def log_loss(log_temperature: float) -> float:
        return -np.log(np.clip(scale(probabilities, np.exp(log_temperature))[rows, true], 1e-12, None)).mean()
    return float(np.exp(minimize_scalar(log_loss, bounds=(-np.log(LIMIT), np.log(LIMIT)), method="bounded").x))
