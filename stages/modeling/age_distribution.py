"""Age learnt as a distribution over years, and told as one of the three groups. A head and its loss.

Geng et al., "Facial Age Estimation by Learning from Label Distributions", 2013; trained end to end by Gao et al., "Deep
Label Distribution Learning with Label Ambiguity", 2017. A face of 29 is nearly one of 31, which labels by group deny.
"""
import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax, one_hot

from stages.core.classes import BORDERS, OLDEST, age_group

YEARS = OLDEST + 1  # 0 to OLDEST
GROUPS = len(BORDERS) + 1


class YearsHead(nn.Module):
    """Features (B, F) to the logits (B, YEARS) of the years in training; else to the log-probabilities (B, GROUPS) of the
    official age groups, each the sum of its years, which a softmax leaves as they are."""

    def __init__(self, features: int):
        super().__init__()
        self.years = nn.Linear(features, YEARS)
        self.register_buffer("group", torch.from_numpy(age_group(range(YEARS))), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        logits = self.years(x)
        if self.training:
            return logits
        log_p = log_softmax(logits.float(), 1)
        return torch.stack([log_p[:, self.group == group].logsumexp(1) for group in range(GROUPS)], 1)


class YearDistribution(nn.Module):
    """Cross entropy with a normal distribution around each photo's age, of the deviation sigma, in years.

    logits (B, YEARS); target is ages (B,) in years or soft labels (B, YEARS). weight (GROUPS,) of the age groups, or None;
    as in torch's cross entropy the mean divides by the weights of the photos' ages.
    """

    def __init__(self, sigma: float, weight: Tensor | None = None):
        super().__init__()
        years = torch.arange(YEARS)
        self.register_buffer("around", torch.softmax(-((years[:, None] - years) / sigma) ** 2 / 2, 1))
        group = torch.from_numpy(age_group(years.numpy()))
        self.register_buffer("weight", torch.ones(YEARS) if weight is None else weight[group])

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        t = target if target.is_floating_point() else one_hot(target, YEARS).float()
        weight = t @ self.weight
        return (weight * -(t @ self.around * log_softmax(logits, 1)).sum(1)).sum() / weight.sum()
