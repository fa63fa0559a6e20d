"""Each loss is what its paper says."""
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from sklearn.utils.class_weight import compute_class_weight
from torch.nn.functional import cross_entropy, log_softmax, one_hot

from stages.core.classes import CONTEST
from stages.core.params import parse
from stages.modeling.age_distribution import YEARS, YearDistribution, group_of_years
from stages.modeling.arcface import ArcFace
from stages.modeling.losses import Focal, SoftF1, balanced, class_weight, effective, make_loss, one_loss
from stages.modeling.mean_variance import MeanVariance
from stages.modeling.networks import start_network
from tests.sections import SHIPPED, section

GROUP = torch.from_numpy(group_of_years(CONTEST.borders))  # of each year
torch.manual_seed(0)
LOGITS, TARGET = torch.randn(50, 3), torch.randint(0, 3, (50,))
WEIGHT = torch.tensor([0.2, 1.0, 3.0])
SOFT = torch.rand(50, 3).softmax(1)
TARGETS = pytest.mark.parametrize("target", [TARGET, SOFT], ids=["classes", "soft"])
WEIGHTS = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
WITH_SOFT_LABELS = ["cross_entropy", "label_smoothing", "focal", "focal_smoothing", "class_balanced_focal", "f1"]


def asking(loss: str, **changes):
    """What one_loss and class_weight read of a section; each value has an effect wherever it is used."""
    return SimpleNamespace(**{"attribute": "age", "loss": loss, "smoothing": 0.3, "focal_gamma": 2.5,
                              "class_weights": "none", "class_balanced_beta": 0.9, "arcface_scale": 8.0,
                              "arcface_margin": 0.4} | changes)


@TARGETS
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_focal_with_gamma_0_is_cross_entropy(target, smoothing):
    want = cross_entropy(LOGITS, target, label_smoothing=smoothing)
    torch.testing.assert_close(Focal(0, None, smoothing)(LOGITS, target), want)


def test_focal_with_gamma_0_and_class_weights_is_weighted_cross_entropy():
    torch.testing.assert_close(Focal(0, WEIGHT)(LOGITS, TARGET), cross_entropy(LOGITS, TARGET, WEIGHT))


@pytest.mark.parametrize("weight", [None, torch.tensor([0.2, 1.0, 9.0])], ids=["unweighted", "weighted"])
def test_class_weights_leave_the_best_answer_to_a_certain_photo_as_it_is(weight):
    """A photo weighs as its class does. If the smoothed mass were weighed, the rare class would get most of it."""
    loss = one_loss("label_smoothing", asking("label_smoothing", smoothing=0.1), weight, 3)
    logits = torch.zeros(1, 3, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=100)

    def closure():
        optimizer.zero_grad()
        value = loss(logits, torch.tensor([0]))
        value.backward()
        return value

    optimizer.step(closure)
    torch.testing.assert_close(logits.softmax(1)[0], torch.tensor([0.9 + 0.1 / 3, 0.1 / 3, 0.1 / 3]), atol=1e-3, rtol=0)


def test_focal_is_equation_5_of_its_paper():
    p = LOGITS.softmax(1)[range(50), TARGET]
    torch.testing.assert_close(Focal(2.5)(LOGITS, TARGET), ((1 - p) ** 2.5 * -p.log()).mean())


def test_focal_divides_by_the_weights_of_the_photos_classes():
    p, weight = LOGITS.softmax(1)[range(50), TARGET], WEIGHT[TARGET]
    want = ((1 - p) ** 2.5 * -p.log() * weight).sum() / weight.sum()
    torch.testing.assert_close(Focal(2.5, WEIGHT)(LOGITS, TARGET), want)


@TARGETS
def test_focal_sums_equation_5_over_the_classes_of_soft_and_smoothed_labels(target):
    labels = 0.8 * (SOFT if target is SOFT else one_hot(TARGET, 3)) + 0.2 / 3
    loss = 0
    for c in range(3):
        p = LOGITS.softmax(1)[:, c]
        loss = loss + (labels[:, c] * (1 - p) ** 2.5 * -p.log()).mean()
    torch.testing.assert_close(Focal(2.5, smoothing=0.2)(LOGITS, target), loss)


@TARGETS
@pytest.mark.parametrize("gamma", [0, 0.5, 1, 2])
def test_a_photo_that_is_certain_leaves_the_gradient_of_focal_finite(gamma, target):
    logits = (200 * LOGITS).requires_grad_()
    assert (logits.softmax(1) == 1).any()
    Focal(gamma)(logits, target).backward()
    assert logits.grad.isfinite().all()


def test_soft_f1_of_certain_answers_is_macro_f1():
    answers = LOGITS.argmax(1)
    loss = SoftF1(3)(1e4 * one_hot(answers, 3).float(), TARGET)
    assert float(loss) == pytest.approx(1 - f1_score(TARGET, answers, average="macro"))


@TARGETS
def test_soft_f1_counts_by_probabilities(target):
    p, labels = LOGITS.softmax(1), SOFT if target is SOFT else one_hot(TARGET, 3)
    hit, extra, missed = (p * labels).sum(0), (p * (1 - labels)).sum(0), ((1 - p) * labels).sum(0)
    precision, recall = hit / (hit + extra), hit / (hit + missed)
    want = 1 - (2 * precision * recall / (precision + recall)).mean()
    torch.testing.assert_close(SoftF1(3)(LOGITS, target), want)


def test_soft_f1_falls_along_its_gradient():
    logits = LOGITS.clone().requires_grad_()
    loss = SoftF1(3)(logits, TARGET)
    loss.backward()
    assert SoftF1(3)(LOGITS - logits.grad, TARGET) < loss


@pytest.mark.parametrize("share", [0.0, 0.3], ids=["no probability", "some probability"])
def test_soft_f1_leaves_out_a_class_that_the_batch_lacks(share):
    p = LOGITS[:, :2].softmax(1) * (1 - share)
    logits = torch.cat([p, torch.full((50, 1), share)], 1).log().clamp(min=-1e4).requires_grad_()
    target = TARGET.clamp(max=1)
    loss = SoftF1(3)(logits, target)
    labels = one_hot(target, 2)
    torch.testing.assert_close(loss, 1 - (2 * (p * labels).sum(0) / (p.sum(0) + labels.sum(0))).mean())
    loss.backward()
    assert logits.grad.isfinite().all()


def test_label_smoothing_spreads_the_target():
    loss = make_loss(section(loss="label_smoothing", smoothing=0.3), TARGET)
    soft = torch.full((50, 3), 0.1)
    soft[range(50), TARGET] += 0.7
    torch.testing.assert_close(loss(LOGITS, TARGET), -(soft * log_softmax(LOGITS, 1)).sum(1).mean())


def test_parameters_of_another_loss_have_no_effect():
    plain = make_loss(section(loss="cross_entropy", smoothing=0.5, focal_gamma=9), TARGET)
    torch.testing.assert_close(plain(LOGITS, TARGET), cross_entropy(LOGITS, TARGET))


@pytest.mark.parametrize("name, want", [
    ("cross_entropy", lambda: torch.nn.CrossEntropyLoss(WEIGHT)),
    ("label_smoothing", lambda: Focal(0, WEIGHT, 0.3)),
    ("focal", lambda: Focal(2.5, WEIGHT)),
    ("focal_smoothing", lambda: Focal(2.5, WEIGHT, 0.3)),
    ("class_balanced_focal", lambda: Focal(2.5, WEIGHT)),
    ("f1", lambda: SoftF1(3)),
    ("arcface", lambda: ArcFace(8.0, 0.4, WEIGHT)),
])
def test_a_loss_by_its_name_takes_its_own_parameters_and_no_others(name, want):
    torch.testing.assert_close(one_loss(name, asking(name), WEIGHT, 3)(LOGITS, TARGET), want()(LOGITS, TARGET))


@pytest.mark.parametrize("name", ["cross_entropy", "label_smoothing", "focal", "focal_smoothing",
                                  "class_balanced_focal", "arcface"])
def test_class_weights_change_every_loss(name):
    weighted, plain = (one_loss(name, asking(name), weight, 3) for weight in (WEIGHT, None))
    assert weighted(LOGITS, TARGET) != plain(LOGITS, TARGET)


@pytest.mark.parametrize("name", WITH_SOFT_LABELS)
def test_soft_labels_that_are_certain_are_classes(name):
    loss = one_loss(name, asking(name), None, 3)
    torch.testing.assert_close(loss(LOGITS, one_hot(TARGET, 3).float()), loss(LOGITS, TARGET))


@WEIGHTS
@pytest.mark.parametrize("name", WITH_SOFT_LABELS)
def test_soft_labels_are_not_turned_back_into_classes(name, weight):
    loss = one_loss(name, asking(name), weight, 3)
    assert not loss(LOGITS, SOFT).isclose(loss(LOGITS, SOFT.argmax(1)), rtol=0.01)


def test_balanced_weights_are_scikit_learns():
    want = compute_class_weight("balanced", classes=np.arange(3), y=TARGET.numpy())
    torch.testing.assert_close(balanced(TARGET, 3), torch.tensor(want, dtype=torch.float32))


@pytest.mark.parametrize("loss", ["label_smoothing", "focal_smoothing"])
def test_a_class_that_nobody_has_is_not_what_a_balanced_smoothed_loss_asks_for(loss):
    target = torch.tensor([0] * 60 + [2] * 60)
    lossy = make_loss(section("mask", loss=loss, class_weights="balanced"), target)
    logits = torch.zeros(120, 3, requires_grad=True)
    lossy(logits, target).backward()
    assert (logits.grad[:, 1] >= 0).all()  # a step down the gradient makes class 1 no likelier


@pytest.mark.parametrize("beta", [0.5, 0.9, 0.9999])
def test_effective_weights_are_one_over_the_effective_number_and_sum_to_the_classes(beta):
    numbers = np.array([sum(beta ** i for i in range(n)) for n in np.bincount(TARGET)])  # the paper's series
    torch.testing.assert_close(effective(TARGET, 3, beta), torch.tensor(3 / numbers / (1 / numbers).sum()).float())


def test_effective_weights_go_from_alike_to_balanced_as_beta_goes_from_0_to_1():
    assert torch.equal(effective(TARGET, 3, 0), torch.ones(3))
    inverse = balanced(TARGET, 3)
    torch.testing.assert_close(effective(TARGET, 3, 1 - 1e-9), inverse * 3 / inverse.sum())


def test_the_beta_shipped_weighs_rare_classes_more_and_never_as_much_as_their_inverse():
    target = torch.repeat_interleave(torch.arange(3), torch.tensor([400, 400, 60]))
    weight = effective(target, 3, section().class_balanced_beta)
    assert weight[2] > 1.5 * weight[0]
    assert weight[2] / weight[0] < 400 / 60


def test_a_class_without_a_photo_weighs_as_one_with_one():
    weight = effective(torch.tensor([0, 0, 0, 1]), 3, 0.9)
    assert weight.isfinite().all()
    assert weight[2] == weight[1] > weight[0]


def test_class_weights_are_those_the_section_asks_for():
    assert class_weight("focal", asking("focal"), TARGET, 3) is None
    assert torch.equal(class_weight("focal", asking("focal", class_weights="balanced"), TARGET, 3), balanced(TARGET, 3))
    effectively = class_weight("class_balanced_focal", asking("class_balanced_focal"), TARGET, 3)
    assert torch.equal(effectively, effective(TARGET, 3, 0.9))


JOINT_LOGITS, JOINT_TARGET = torch.randn(50, 8), torch.randint(0, 18, (50,))


def test_three_heads_have_a_loss_each_and_their_sum_is_the_joint_models():
    loss = make_loss(section("joint", attribute_losses={"age": "focal", "mask": "label_smoothing"}), JOINT_TARGET)
    mask, gender, age = (torch.as_tensor(part) for part in CONTEST.decode(JOINT_TARGET))
    want = (cross_entropy(JOINT_LOGITS[:, :3], mask, label_smoothing=0.1) + cross_entropy(JOINT_LOGITS[:, 3:5], gender)
            + Focal(2.0)(JOINT_LOGITS[:, 5:], age))
    torch.testing.assert_close(loss(JOINT_LOGITS, JOINT_TARGET), want)


@pytest.mark.parametrize("loss, alone", [("year_distribution", lambda weight: YearDistribution(3.0, weight, 70)),
                                         ("mean_variance", lambda weight: MeanVariance(0.2, 0.05, weight))])
def test_the_age_of_a_joint_model_can_be_years_with_their_own_loss_and_weights(loss, alone):
    mask, gender, years = torch.randint(0, 3, (50,)), torch.randint(0, 2, (50,)), torch.randint(18, 71, (50,))
    years[0] = 70
    target, logits = (mask * 2 + gender) * YEARS + years, torch.randn(50, 5 + YEARS)
    joint = make_loss(section("joint", attribute_losses={"age": loss}, class_weights="balanced"), target)
    groups = torch.from_numpy(CONTEST.age_group(years.numpy()))
    want = (cross_entropy(logits[:, :3], mask, balanced(mask, 3)) + cross_entropy(logits[:, 3:5], gender, balanced(gender, 2))
            + alone(balanced(groups, 3)[GROUP])(logits[:, 5:], years))
    torch.testing.assert_close(joint(logits, target), want)
    torch.testing.assert_close(joint(logits, one_hot(target, 6 * YEARS).float()), want)  # as mixing gives it


def test_each_head_weighs_its_own_classes():
    loss = make_loss(section("joint", class_weights="balanced"), JOINT_TARGET)
    parts = zip(loss.losses, CONTEST.decode(JOINT_TARGET), (3, 2, 3))
    assert all(torch.equal(head.weight, balanced(part, classes)) for head, part, classes in parts)


def test_one_head_of_18_classes_has_one_loss():
    loss, logits = make_loss(section("joint", head="classes"), JOINT_TARGET), torch.randn(50, 18)
    torch.testing.assert_close(loss(logits, JOINT_TARGET), cross_entropy(logits, JOINT_TARGET))


def test_three_heads_take_soft_labels_of_the_18_classes():
    loss = make_loss(section("joint"), JOINT_TARGET)
    certain = one_hot(JOINT_TARGET, 18).float()
    torch.testing.assert_close(loss(JOINT_LOGITS, certain), loss(JOINT_LOGITS, JOINT_TARGET))
    half = (certain + certain.roll(1, 0)) / 2
    want = (loss(JOINT_LOGITS, JOINT_TARGET) + loss(JOINT_LOGITS, JOINT_TARGET.roll(1, 0))) / 2  # it is linear in them
    torch.testing.assert_close(loss(JOINT_LOGITS, half), want)


@pytest.mark.parametrize("kind", ["cross_entropy", "year_distribution", "ordinal", "mean_variance"])
def test_other_age_groups_are_learnt_by_the_same_losses(kind):
    four = SHIPPED["classes"] | {"age": [20, 40, 60]}
    p = parse(SHIPPED | {"classes": four, "age": SHIPPED["age"] | {"loss": kind, "class_weights": "balanced"}}).sections["age"]
    assert p.heads == (4,)
    years = torch.tensor([5, 19, 20, 45, 59, 60, 80, 81])
    target = years if p.learns_years else torch.from_numpy(np.digitize(years, [20, 40, 60]))
    network = start_network("age", p.model_copy(update={"backbone": "test_efficientnet"}), (32, 32))
    logits = network.train()(torch.randn(8, 3, 32, 32))
    assert torch.isfinite(make_loss(p, target)(logits, target))
    out = network.eval()(torch.randn(2, 3, 32, 32))
    assert out.shape == (2, 4)
    if p.learns_years:  # the head's own sums over years
        torch.testing.assert_close(out.exp().sum(1), torch.ones(2))
