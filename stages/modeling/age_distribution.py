"""Label distribution learning for age: a head and a loss over years; the head predicts the age groups.

Geng et al., "Facial Age Estimation by Learning from Label Distributions", 2013; trained end to end by Gao et al., "Deep
Label Distribution Learning with Label Ambiguity", 2017. A face of 29 is nearly one of 31, which labels by group ignore.
"""
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from stages.core.classes import OLDEST
from stages.modeling.multitask import soft

YEARS = OLDEST + 1  # 0 to OLDEST


def group_of_years(borders: tuple[int, ...]) -> np.ndarray:
    """Age group (YEARS,) of each year; borders: the first ages of all groups but the first."""
    return np.digitize(np.arange(YEARS), borders)


class YearsHead(nn.Module):
    """Features (B, F) to logits (B, before + YEARS) of the years in training mode, else (B, before + groups), the last with
    log-probabilities of the official age groups, summed over their years' probabilities. A later softmax leaves these as
    they are. borders: of the age groups. before: number of logits of a joint model's other heads, which come first and pass
    through."""

    def __init__(self, features: int, borders: tuple[int, ...], before: int = 0):
        super().__init__()
        self.before, self.groups = before, [*pairwise((0, *borders, YEARS))]
        self.years = nn.Linear(features, before + YEARS)

    def forward(self, x: Tensor) -> Tensor:
        logits = self.years(x)
        if self.training:
            return logits
        others, years = logits.float().tensor_split([self.before], 1)
        log_p = log_softmax(years, 1)
        groups = [log_p[:, first:end].logsumexp(1) for first, end in self.groups]
        return torch.cat([others, torch.stack(groups, 1)], 1)


class YearDistribution(nn.Module):
    """Cross entropy with a normal distribution around each photo's age; sigma is its standard deviation in years.

    cap: the age at which labels end, such as the contest's 60, which means 60 or older, or None. Its normal distribution
    is cut off below the cap: half of it would otherwise say "younger", and the best answer to a photo of 60 would be only
    .566 for 60 and over (sigma 3). That 60 stands for all that follow is known as censoring.
    logits: (B, YEARS). target: ages (B,) in years, or soft labels (B, YEARS). weight: (YEARS,) that of a photo of each age, or
    None; as in torch's cross entropy, the mean divides by the sum of the photos' weights.
    """

    def __init__(self, sigma: float, weight: Tensor | None = None, cap: int | None = None):
        super().__init__()
        years = torch.arange(YEARS)
        exponent = -((years[:, None] - years) / sigma) ** 2 / 2
        if cap is not None:
            exponent[cap, :cap] = -torch.inf
        self.register_buffer("around", torch.softmax(exponent, 1))
        self.register_buffer("weight", torch.ones(YEARS) if weight is None else weight)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        t = soft(target, YEARS)
        return weighted_mean(-(t @ self.around * log_softmax(logits, 1)).sum(1), t @ self.weight)


def weighted_mean(losses: Tensor, weight: Tensor) -> Tensor:
    """Mean of the photos' losses (B,) by their weights (B,), as in torch's cross entropy."""
    return (weight * losses).sum() / weight.sum()


def cap_of(years: Tensor, borders: tuple[int, ...]) -> int:
    """The age at which the labels (N,) of a training set end, and at least the last border of the age groups: if nobody
    were 60, cutting off below the oldest of 59 would put them beyond the border."""
    return max(int(years.max()), borders[-1])
