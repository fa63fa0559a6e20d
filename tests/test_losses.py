"""Each loss is what its paper says."""
import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn.functional import cross_entropy, log_softmax

from stages.lib.losses import Focal, balanced, make_loss
from tests.test_params import SHIPPED, parse

torch.manual_seed(0)
LOGITS, TARGET = torch.randn(50, 3), torch.randint(0, 3, (50,))
WEIGHT = torch.tensor([0.2, 1.0, 3.0])


def section(**changes):
    return parse(SHIPPED | {"age": SHIPPED["age"] | changes}).sections["age"]


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_focal_with_gamma_0_is_cross_entropy(weight):
    torch.testing.assert_close(Focal(0, weight)(LOGITS, TARGET), cross_entropy(LOGITS, TARGET, weight))


def test_focal_is_equation_5_of_its_paper():
    p = LOGITS.softmax(1)[range(50), TARGET]
    torch.testing.assert_close(Focal(2.5)(LOGITS, TARGET), ((1 - p) ** 2.5 * -p.log()).mean())


def test_label_smoothing_spreads_the_target():
    loss = make_loss(section(loss="label_smoothing", smoothing=0.3), None)
    soft = torch.full((50, 3), 0.1)
    soft[range(50), TARGET] += 0.7
    torch.testing.assert_close(loss(LOGITS, TARGET), -(soft * log_softmax(LOGITS, 1)).sum(1).mean())


def test_parameters_of_another_loss_have_no_effect():
    plain = make_loss(section(loss="cross_entropy", smoothing=0.5, focal_gamma=9), None)
    torch.testing.assert_close(plain(LOGITS, TARGET), cross_entropy(LOGITS, TARGET))


@pytest.mark.parametrize("name", ["cross_entropy", "label_smoothing", "focal"])
def test_class_weights_change_every_loss(name):
    p = section(loss=name)
    assert make_loss(p, WEIGHT)(LOGITS, TARGET) != make_loss(p, None)(LOGITS, TARGET)


def test_balanced_weights_are_scikit_learns():
    want = compute_class_weight("balanced", classes=np.arange(3), y=TARGET.numpy())
    torch.testing.assert_close(balanced(TARGET, 3), torch.tensor(want, dtype=torch.float32))
