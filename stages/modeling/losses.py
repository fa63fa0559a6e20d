"""Losses by name: modules of logits (B, C) and a target: classes (B,), or soft labels (B, C) whose rows sum to 1."""
import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from stages.core.model_params import YEAR_LOSSES, Model
from stages.modeling.age_distribution import YearDistribution, cap_of, group_of_years
from stages.modeling.arcface import ArcFace
from stages.modeling.mean_variance import MeanVariance
from stages.modeling.multitask import soft, split_target
from stages.modeling.ordinal import Ordinal


class Focal(nn.Module):
    """Focal loss, Lin et al., "Focal Loss for Dense Object Detection", 2017, eq. 5: (1 - p)^gamma * -log(p).

    Soft labels t weigh the classes' terms; label smoothing e in [0, 1) first makes them t (1 - e) + e / C. Class weights
    are its alpha: a photo has that of its class, or the mean over its soft label, before smoothing. torch weighs the
    smoothed mass instead, so that a photo of a common class pulls most towards rare ones. The mean divides by the sum of
    the photos' weights. gamma 0 is cross entropy.
    """

    def __init__(self, gamma: float, weight: Tensor | None = None, smoothing: float = 0.0):
        super().__init__()
        self.gamma, self.smoothing = gamma, smoothing
        self.register_buffer("weight", weight)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        classes, log_p = logits.shape[1], log_softmax(logits, 1)
        labels = soft(target, classes)
        weight = torch.ones_like(labels[:, 0]) if self.weight is None else labels @ self.weight
        # at p = 1 the gradient of 0^gamma is infinite for gamma below 1, and infinity times 0 would be NaN
        miss = (1 - log_p.exp()).clamp(min=torch.finfo(log_p.dtype).tiny)
        t = labels * (1 - self.smoothing) + self.smoothing / classes
        return (weight * (miss ** self.gamma * -log_p * t).sum(1)).sum() / weight.sum()


class SoftF1(nn.Module):
    """Soft F1: 1 - macro F1 of the batch, with probabilities for counts, so that it is differentiable; in [0, 1].

    F1 of a class is 2 sum(p t) / (sum(p) + sum(t)) over the batch, as Bénédict et al., "sigmoidF1", 2021, with softmax
    instead of sigmoid; the Dice loss of Milletari et al., "V-Net", 2016, without its squares. The mean leaves out a class
    that the batch lacks: its F1 is 0 whatever the network predicts, so it would only add a constant.
    """

    def __init__(self, classes: int):
        super().__init__()
        self.classes = classes

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        p, t = logits.softmax(1), soft(target, self.classes)
        present = t.sum(0) > 0
        f1 = 2 * (p * t).sum(0)[present] / (p + t).sum(0)[present]
        return 1 - f1.mean()


def balanced(target: Tensor, classes: int) -> Tensor:
    """Class weights (C,) inverse to the class frequencies in target (N,), as scikit-learn's `balanced`. A class without
    photos has 0: label smoothing gives each class a little of every photo, and it would weigh the most."""
    counts = torch.bincount(target, minlength=classes)
    return (counts > 0) * len(target) / (classes * counts.clamp(min=1).float())


def effective(target: Tensor, classes: int, beta: float) -> Tensor:
    """Class weights (C,) inverse to the effective number of photos of each class in target (N,); their sum is C.

    Cui et al., "Class-Balanced Loss Based on Effective Number of Samples", 2019, proposition 1: n photos count as
    (1 - beta^n) / (1 - beta). beta in [0, 1): 0 gives equal weights, and towards 1 they approach 1 / n. A class without
    photos counts as one with one photo.
    """
    counts = torch.bincount(target, minlength=classes).clamp(min=1).double()  # float32 would leave 1 - beta 3 digits
    weight = (1 - beta) / (1 - beta ** counts)
    return (weight * classes / weight.sum()).float()


def class_weight(kind: str, p: Model, target: Tensor, classes: int) -> Tensor | None:
    """Class weights (C,) of the section for the loss `kind`, or None; target (N,): classes of the training set."""
    if kind == "class_balanced_focal":
        return effective(target, classes, p.class_balanced_beta)
    return balanced(target, classes) if p.class_weights == "balanced" else None


def one_loss(kind: str, p: Model, weight: Tensor | None, classes: int) -> nn.Module:
    """The loss `kind` for one head; weight (classes,) or None. f1 ignores weights: macro F1 counts all classes alike."""
    if kind in ("focal", "class_balanced_focal"):
        return Focal(p.focal_gamma, weight)
    if kind == "focal_smoothing":
        return Focal(p.focal_gamma, weight, p.smoothing)
    if kind == "f1":
        return SoftF1(classes)
    if kind == "arcface":
        return ArcFace(p.arcface_scale, p.arcface_margin, weight)
    smoothing = {"cross_entropy": 0.0, "label_smoothing": p.smoothing}[kind]  # no silent default for a name of no loss
    return Focal(0, weight, smoothing) if weight is not None else nn.CrossEntropyLoss(label_smoothing=smoothing)


def year_loss(kind: str, p: Model, years: Tensor) -> nn.Module:
    """The loss `kind` of those that learn years; years (N,): ages of the training set. Class weights are of age groups."""
    borders = p.classes.borders
    group = torch.from_numpy(group_of_years(borders))
    weight = class_weight(kind, p, group[years], len(borders) + 1)
    weight = None if weight is None else weight[group]
    if kind == "ordinal":
        return Ordinal(weight)
    if kind == "mean_variance":
        return MeanVariance(p.mean_weight, p.variance_weight, weight)
    return YearDistribution(p.year_sigma, weight, cap_of(years, borders))


def head_loss(kind: str, p: Model, target: Tensor, classes: int) -> nn.Module:
    """The loss `kind` of one head, with its class weights; target (N,): classes, or years, of the training set."""
    if kind in YEAR_LOSSES:
        return year_loss(kind, p, target)
    return one_loss(kind, p, class_weight(kind, p, target, classes), classes)


class PerHead(nn.Module):
    """Sum of one loss for each head of a joint model; logits (B, sum(heads)), target over the joint classes of `heads`."""

    def __init__(self, losses: list[nn.Module], heads: tuple[int, ...]):
        super().__init__()
        self.losses, self.heads = nn.ModuleList(losses), heads

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        parts = zip(self.losses, logits.split(self.heads, 1), split_target(target, self.heads))
        return sum(loss(part, goal) for loss, part, goal in parts)


def make_loss(p: Model, target: Tensor) -> nn.Module:
    """The loss that the model's section asks for; target (N,): classes, or years, of the training set."""
    if len(p.heads) == 1:
        return head_loss(p.loss, p, target, p.classes.count)
    parts = zip(p.attributes, split_target(target, p.training_heads), p.heads)
    return PerHead([head_loss(p.loss_of(attribute), p, part, classes) for attribute, part, classes in parts], p.training_heads)
