"""ArcFace widens the angle to a photo's own class, wherever that angle is; its head gives the cosines."""
from math import pi

import pytest
import torch
from torch import nn
from torch.nn.functional import cosine_similarity, cross_entropy

from stages.modeling.arcface import ArcFace, CosineHead

torch.manual_seed(0)
SCALE = 30.0
FEATURES, TARGET = torch.randn(40, 8), torch.randint(0, 3, (40,))
HEAD = CosineHead(8, 3, SCALE)
LOGITS = HEAD(FEATURES).detach()
WEIGHT = torch.tensor([0.2, 1.0, 3.0])


def at(angle: torch.Tensor) -> torch.Tensor:
    """Logits (B, 2) of photos of class 0 at these angles (B,) to it, and at a right angle to class 1."""
    return SCALE * torch.stack([angle.cos(), torch.zeros_like(angle)], 1)


def losses(loss, logits, target) -> torch.Tensor:
    """The loss (B,) of each photo by itself."""
    return torch.stack([loss(logits[i:i + 1], target[i:i + 1]) for i in range(len(logits))])


def test_the_head_gives_scaled_cosines_to_each_class():
    want = SCALE * cosine_similarity(FEATURES[:, None], HEAD.weight[None], dim=2)
    torch.testing.assert_close(HEAD(FEATURES), want)


def test_the_head_knows_directions_only():
    torch.testing.assert_close(HEAD(1000 * FEATURES), HEAD(FEATURES))


def test_the_head_is_exact_under_mixed_precision():
    with torch.autocast("cpu", torch.bfloat16):
        mixed = HEAD(FEATURES.bfloat16())
    torch.testing.assert_close(mixed, HEAD(FEATURES.bfloat16().float()))


def test_every_class_has_a_direction_before_the_first_step():
    head = CosineHead(8, 3, SCALE)
    torch.testing.assert_close(head(head.weight).diag(), torch.full((3,), SCALE))
    assert not any(isinstance(layer, nn.Linear) for layer in head.modules())  # start_network sets these to zero


def test_the_loss_turns_the_head_towards_the_photos_of_each_class():
    head, loss = CosineHead(8, 3, SCALE), ArcFace(SCALE, 0.5)
    before = loss(head(FEATURES), TARGET)
    before.backward()
    with torch.no_grad():
        head.weight -= 0.001 * head.weight.grad
    assert loss(head(FEATURES), TARGET) < before


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_margin_0_is_cross_entropy(weight):
    torch.testing.assert_close(ArcFace(SCALE, 0, weight)(LOGITS, TARGET), cross_entropy(LOGITS, TARGET, weight))


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_the_loss_is_equation_3_of_its_paper(weight):
    angles = (LOGITS / SCALE).acos()
    own = angles[range(40), TARGET]
    assert (own + 0.2 < pi).all()
    others = (SCALE * angles.cos()).exp().sum(1) - (SCALE * own.cos()).exp()
    hit = (SCALE * (own + 0.2).cos()).exp()
    share = torch.ones(40) if weight is None else weight[TARGET]
    want = -((hit / (hit + others)).log() * share).sum() / share.sum()
    torch.testing.assert_close(ArcFace(SCALE, 0.2, weight)(LOGITS, TARGET), want)


@pytest.mark.parametrize("margin", [0.2, 0.5, 1.5])
def test_a_larger_angle_is_always_a_larger_loss_and_the_margin_a_larger_one_still(margin):
    logits, target = at(torch.linspace(0, pi, 100, dtype=torch.float64)), torch.zeros(100, dtype=torch.long)
    wide, plain = losses(ArcFace(SCALE, margin), logits, target), losses(ArcFace(SCALE, 0), logits, target)
    assert (wide.diff() > 0).all()
    assert (wide > plain).all()


@pytest.mark.parametrize("cosine", [-1.000001, -1, 0, 1, 1.000001])
def test_a_photo_right_on_or_against_its_class_leaves_the_gradient_finite(cosine):
    logits = torch.tensor([[SCALE * cosine, 0]], requires_grad=True)
    loss = ArcFace(SCALE, 0.5)(logits, torch.tensor([0]))
    loss.backward()
    assert loss.isfinite() and logits.grad.isfinite().all()


def test_soft_labels_are_refused():
    with pytest.raises(ValueError, match="soft labels"):
        ArcFace(SCALE, 0.5)(LOGITS, LOGITS.softmax(1))
