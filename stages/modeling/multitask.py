"""What a network's last layer says of the classes: one softmax, or for a joint model one an attribute.

heads: how many classes each softmax tells apart, such as (3,), (18,) or (3, 2, 3). A class is a choice of each, and the
last head's runs fastest, as in stages/core/classes.py: with (3, 2, 3), class = mask * 6 + gender * 3 + age.
"""
import torch
from torch import Tensor


def class_logs(logits: Tensor, heads: tuple[int, ...]) -> Tensor:
    """Log-probabilities (N, prod(heads)) of the classes from logits (N, sum(heads)); the heads count as independent."""
    out = logits.new_zeros(len(logits), 1)
    for part in logits.split(heads, 1):
        out = (out[:, :, None] + part.log_softmax(1)[:, None]).flatten(1)
    return out


def split_target(target: Tensor, heads: tuple[int, ...]) -> list[Tensor]:
    """The target of each head: of classes (N,) classes (N,), of soft labels (N, prod(heads)) soft labels (N, head)."""
    if not target.is_floating_point():
        return list(torch.unravel_index(target, heads))
    each = target.view(-1, *heads)
    return [each.sum([axis for axis in range(1, len(heads) + 1) if axis != own]) for own in range(1, len(heads) + 1)]
