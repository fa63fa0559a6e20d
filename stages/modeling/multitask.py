"""Several softmax heads on one output: class log-probabilities and targets for each.

heads: number of classes of each softmax, such as (3,), (18,) or (3, 2, 3). A joint class combines one class of each head,
and the last head's runs fastest, as in stages/core/classes.py: with (3, 2, 3), class = mask * 6 + gender * 3 + age.
"""
import torch
from torch import Tensor
from torch.nn.functional import one_hot


def class_logs(logits: Tensor, heads: tuple[int, ...]) -> Tensor:
    """Log-probabilities (N, prod(heads)) of the joint classes from logits (N, sum(heads)), with independent heads."""
    out = logits.new_zeros(len(logits), 1)
    for part in logits.split(heads, 1):
        out = (out[:, :, None] + part.log_softmax(1)[:, None]).flatten(1)
    return out


def soft(target: Tensor, classes: int) -> Tensor:
    """Classes (N,), or soft labels (N, C), as soft labels."""
    return target if target.is_floating_point() else one_hot(target, classes).float()


def split_target(target: Tensor, heads: tuple[int, ...]) -> list[Tensor]:
    """Target of each head: classes (N,) from joint classes (N,); soft labels (N, head) from soft labels (N, prod(heads))."""
    if not target.is_floating_point():
        return list(torch.unravel_index(target, heads))
    each = target.view(-1, *heads)
    axes = range(1, len(heads) + 1)
    return [each.sum([axis for axis in axes if axis != head]) for head in axes]
