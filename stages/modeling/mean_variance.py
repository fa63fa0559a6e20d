"""A loss on the mean and the variance of a distribution over years: both of them say how far off a guess is.

Pan, Han, Shan and Chen, "Mean-Variance Loss for Deep Age Estimation From a Face", 2018.
"""
import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from stages.modeling.age_distribution import YEARS, weighted_mean
from stages.modeling.multitask import soft


class MeanVariance(nn.Module):
    """Cross entropy over years + mean_weight / 2 * (mean - age)^2 + variance_weight * variance (eqs. 3 to 6), in years.

    The mean and the variance are those of the softmax. logits: (B, YEARS). target: ages (B,) in years, or soft labels (B,
    YEARS), of which the expected age is meant. weight: (YEARS,) that of a photo of each age, or None.
    """

    def __init__(self, mean_weight: float, variance_weight: float, weight: Tensor | None = None):
        super().__init__()
        self.mean_weight, self.variance_weight = mean_weight, variance_weight
        self.register_buffer("years", torch.arange(YEARS).float())
        self.register_buffer("weight", torch.ones(YEARS) if weight is None else weight)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        t, log_p = soft(target, YEARS), log_softmax(logits, 1)
        p = log_p.exp()
        mean = p @ self.years
        variance = (p * (self.years - mean[:, None]) ** 2).sum(1)
        losses = (-(t * log_p).sum(1) + self.mean_weight / 2 * (mean - t @ self.years) ** 2
                  + self.variance_weight * variance)
        return weighted_mean(losses, t @ self.weight)
