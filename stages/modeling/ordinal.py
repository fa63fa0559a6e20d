"""CORAL: a head and a loss over the ranks "as old as k or older", whose answers stay in order.

Cao, Mirjalili and Raschka, "Rank consistent ordinal regression for neural networks with application to age estimation",
2020, eqs. 2 to 4. One number of the face decides all ranks: they share their weights, and each has a bias of its own.
"""
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, linear, logsigmoid

from stages.modeling.age_distribution import YEARS, weighted_mean
from stages.modeling.multitask import soft


class OrdinalHead(nn.Module):
    """Features (B, F) to the logits of P(age >= k), (B, OLDEST), k from 1 to OLDEST, in training mode, else to
    log-probabilities (B, groups) of the official age groups. A later softmax leaves these as they are. borders: the first ages
    of all groups but the first.

    The weights start at zero, as those of the other heads. The biases start as if every year from 0 to OLDEST were equally
    likely: they fall, so the ranks start in order, and the groups start as those of the head over years. In the authors'
    later package they fall from 1 to 0: P(age >= 1) is then .73 and P(age >= OLDEST) .5, which is far to go for biases that
    Adam moves by about the learning rate a step. Not an nn.Linear, whose bias start_network would set to zero.
    """

    def __init__(self, features: int, borders: tuple[int, ...]):
        super().__init__()
        self.borders = tuple(borders)
        self.weight = nn.Parameter(torch.zeros(1, features))
        self.bias = nn.Parameter(torch.logit(1 - torch.arange(1, YEARS) / YEARS))

    def forward(self, x: Tensor) -> Tensor:
        logits = linear(x, self.weight).float() + self.bias
        return logits if self.training else group_logs(logits, self.borders)


def group_logs(logits: Tensor, borders: tuple[int, ...]) -> Tensor:
    """Log-probabilities (B, groups) of the age groups from logits (B, OLDEST) of P(age >= k).

    A group between is P(age >= 30) - P(age >= 60) = s(a) - s(b) = s(a) s(-b) (1 - exp(b - a)), with s the sigmoid of the
    logits a and b: so its logarithm loses no digits where both are near 0 or 1. The paper proves that a >= b where the loss
    is least, not on the way there; where it is not so, b is taken for a, and the group between has the least positive number.
    """
    ranks = [logits[:, border - 1] for border in borders]
    for i in range(1, len(ranks)):
        ranks[i] = torch.minimum(ranks[i - 1], ranks[i])
    tiny = torch.finfo(logits.dtype).tiny
    between = [logsigmoid(a) + logsigmoid(-b) + (-torch.expm1(-(a - b).clamp(min=tiny))).log() for a, b in pairwise(ranks)]
    return torch.stack([logsigmoid(-ranks[0]), *between, logsigmoid(ranks[-1])], 1)


class Ordinal(nn.Module):
    """Eq. 4, the sum of the ranks' binary cross entropies, all of importance 1: mean over the photos.

    logits: (B, OLDEST) of OrdinalHead. target: ages (B,) in years, or soft labels (B, YEARS), of which P(age >= k) is a sum.
    weight: (YEARS,) that of a photo of each age, or None.
    """

    def __init__(self, weight: Tensor | None = None):
        super().__init__()
        self.register_buffer("weight", torch.ones(YEARS) if weight is None else weight)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        t = soft(target, YEARS)
        at_least = t.flip(1).cumsum(1).flip(1)[:, 1:]
        losses = binary_cross_entropy_with_logits(logits, at_least, reduction="none").sum(1)
        return weighted_mean(losses, t @ self.weight)
