"""Losses by name, each a function of logits (B, C) and classes (B,)."""
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from stages.lib.params import Model


class Focal(nn.Module):
    """Focal loss, Lin et al., "Focal Loss for Dense Object Detection", 2017, eq. 5: (1 - p)^gamma * -log(p).

    Class weights are its alpha. As torch's cross entropy does, the mean divides by the sum of the weights, so gamma 0
    is cross entropy.
    """

    def __init__(self, gamma: float, weight: Tensor | None = None):
        super().__init__()
        self.gamma = gamma
        self.register_buffer("weight", weight)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        minus_log_p = cross_entropy(logits, target, reduction="none")
        weight = torch.ones_like(minus_log_p) if self.weight is None else self.weight[target]
        return ((1 - (-minus_log_p).exp()) ** self.gamma * minus_log_p * weight).sum() / weight.sum()


def balanced(target: Tensor, classes: int) -> Tensor:
    """Weights (C,) inverse to how often each class occurs in target (N,), as scikit-learn's `balanced`."""
    counts = torch.bincount(target, minlength=classes)
    return len(target) / (classes * counts.clamp(min=1).float())


def make_loss(p: Model, weight: Tensor | None) -> nn.Module:
    """The loss that the model's section asks for; weight (C,) of the classes or None."""
    if p.loss == "focal":
        return Focal(p.focal_gamma, weight)
    return nn.CrossEntropyLoss(weight, label_smoothing=p.smoothing if p.loss == "label_smoothing" else 0)
