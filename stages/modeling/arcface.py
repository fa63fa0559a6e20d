"""ArcFace head and loss: Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", 2019."""
from math import cos, pi, sin

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear, normalize


class CosineHead(nn.Module):
    """Features (B, F) to the logits of eq. 2, (B, C): scale * cosine of the angle to each class, in [-scale, scale].

    Not an nn.Linear, whose weight may start at zero: a zero vector has no angle.
    """

    def __init__(self, features: int, classes: int, scale: float):
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(classes, features))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):  # bfloat16 has steps of 1/256 near 1: 1/4 at scale 64
            return self.scale * linear(normalize(x.float()), normalize(self.weight))


class ArcFace(nn.Module):
    """Eq. 3: cross entropy with a margin, in radians from 0 to pi / 2, added to the angle of each photo's true class.

    logits: (B, C) of CosineHead. target: classes (B,); raises ValueError for soft labels, since a mixed photo has no one
    true class. weight: class weights (C,) or None. Margin 0 is torch's cross entropy.
    """

    def __init__(self, scale: float, margin: float, weight: Tensor | None = None):
        super().__init__()
        self.scale, self.margin = scale, margin
        self.register_buffer("weight", weight)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        if target.is_floating_point():
            raise ValueError("ArcFace takes classes (B,), no soft labels")
        index = target[:, None]
        return cross_entropy(logits.scatter(1, index, self.add_margin(logits.gather(1, index))), target, self.weight)

    def add_margin(self, logit: Tensor) -> Tensor:
        """scale * cos(theta) to scale * cos(theta + margin)."""
        cosine = logit / self.scale
        # the gradient of the square root is infinite at 0, and rounding takes cosines past 1
        sine = (1 - cosine ** 2).clamp(min=torch.finfo(logit.dtype).tiny).sqrt()
        added = cosine * cos(self.margin) - sine * sin(self.margin)
        # past pi the cosine rises again and would reward a larger angle; the authors' code continues in a straight line
        beyond = cosine - sin(pi - self.margin) * self.margin
        return self.scale * torch.where(cosine > cos(pi - self.margin), added, beyond)
