"""Age learnt as a distribution over years: nearby ages are nearly right, and the groups are sums of years."""
import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from stages.core.classes import CONTEST
from stages.modeling.age_distribution import YEARS, YearDistribution, YearsHead, group_of_years
from stages.modeling.losses import balanced, make_loss
from tests.sections import section

GROUP = torch.from_numpy(group_of_years(CONTEST.borders))  # of each year


def logits_of(age: int, sharp: float = 1.0) -> torch.Tensor:
    """A guess around an age, (1, YEARS)."""
    return -sharp * (torch.arange(YEARS) - float(age)).abs()[None]


def test_in_training_the_head_tells_years_and_otherwise_groups_whose_probabilities_are_the_sums():
    torch.manual_seed(0)
    head = YearsHead(8, CONTEST.borders)
    x = torch.randn(5, 8)
    years = head.train()(x).softmax(1)
    assert years.shape == (5, YEARS)
    groups = head.eval()(x)
    low, high = CONTEST.borders
    sums = torch.stack([years[:, :low].sum(1), years[:, low:high].sum(1), years[:, high:].sum(1)], 1)
    assert torch.allclose(groups.softmax(1), sums, atol=1e-6)
    assert torch.allclose(groups.exp(), sums, atol=1e-6)  # they are log-probabilities already


@pytest.mark.parametrize("borders", [(18,), (20, 40, 60), (1, 2, 120)])
def test_other_age_groups_are_sums_of_their_years_too(borders):
    torch.manual_seed(0)
    head, x = YearsHead(8, borders), torch.randn(5, 8)
    years, groups = head.train()(x).softmax(1), head.eval()(x).exp()
    want = [years[:, np.digitize(np.arange(YEARS), borders) == group].sum(1) for group in range(len(borders) + 1)]
    torch.testing.assert_close(groups, torch.stack(want, 1))
    torch.testing.assert_close(groups.sum(1), torch.ones(5))


def test_the_other_heads_of_a_joint_model_pass_through_the_head_over_years():
    torch.manual_seed(0)
    head, alone = YearsHead(8, CONTEST.borders, before=5), YearsHead(8, CONTEST.borders)
    alone.years.weight, alone.years.bias = (torch.nn.Parameter(part[5:]) for part in (head.years.weight, head.years.bias))
    x = torch.randn(4, 8)
    assert head.train()(x).shape == (4, 5 + YEARS)
    torch.testing.assert_close(head.eval()(x)[:, :5], head.train()(x)[:, :5])
    torch.testing.assert_close(head.eval()(x)[:, 5:], alone.eval()(x))


def test_the_nearer_the_guess_the_lower_the_loss_across_the_border_of_groups_too():
    loss = YearDistribution(sigma=3)
    losses = [float(loss(logits_of(guess), torch.tensor([29]))) for guess in (29, 31, 40, 60)]
    assert losses == sorted(losses)


def test_the_least_loss_is_at_a_normal_distribution_around_the_age():
    normal = (-((torch.arange(YEARS) - 40.0) / 2) ** 2 / 2)[None].requires_grad_()
    YearDistribution(sigma=2)(normal, torch.tensor([40])).backward()
    assert torch.allclose(normal.grad, torch.zeros(1, YEARS), atol=1e-6)
    wider = (-((torch.arange(YEARS) - 40.0) / 3) ** 2 / 2)[None].requires_grad_()
    YearDistribution(sigma=2)(wider, torch.tensor([40])).backward()
    assert wider.grad.abs().max() > 0.01


def test_every_age_is_learnt_as_probabilities_that_sum_to_one():
    around = YearDistribution(sigma=3).around
    assert torch.allclose(around.sum(1), torch.ones(YEARS))
    assert (around.argmax(1) == torch.arange(YEARS)).all()


def test_soft_labels_are_a_mixture_of_the_ages():
    loss, logits = YearDistribution(sigma=3), torch.randn(1, YEARS, generator=torch.Generator().manual_seed(0))
    mixed = 0.25 * one_hot(torch.tensor([20]), YEARS) + 0.75 * one_hot(torch.tensor([50]), YEARS)
    each = [loss(logits, torch.tensor([age])) for age in (20, 50)]
    assert torch.allclose(loss(logits, mixed), 0.25 * each[0] + 0.75 * each[1])


def test_weights_are_those_of_the_age_groups():
    weight = torch.tensor([1.0, 2.0, 8.0])
    loss, ages = YearDistribution(3, weight[GROUP]), torch.tensor([20, 40, 70])
    assert (CONTEST.age_group(ages.numpy()) == [0, 1, 2]).all()
    logits = torch.randn(3, YEARS, generator=torch.Generator().manual_seed(0))
    each = torch.stack([YearDistribution(3)(logits[i:i + 1], ages[i:i + 1]) for i in range(3)])
    assert torch.allclose(loss(logits, ages), (each * weight).sum() / weight.sum())


def test_the_loss_has_the_deviation_and_the_weights_that_the_section_asks_for():
    ages = torch.tensor([20, 21, 22, 40, 41, 70])
    logits = torch.randn(6, YEARS, generator=torch.Generator().manual_seed(0))
    plain = make_loss(section(loss="year_distribution", year_sigma=2.0), ages)
    assert torch.equal(plain(logits, ages), YearDistribution(2.0, cap=70)(logits, ages))
    weighted = make_loss(section(loss="year_distribution", year_sigma=2.0, class_weights="balanced"), ages)
    weight = balanced(torch.tensor([0, 0, 0, 1, 1, 2]), 3)
    assert torch.equal(weighted(logits, ages), YearDistribution(2.0, weight[GROUP], 70)(logits, ages))
    assert not torch.allclose(weighted(logits, ages), plain(logits, ages))


def over_60(ages: list[int], age: int, **changes) -> float:
    """What the best answer to a photo of this age gives to 60 and over, by the loss for a training set of these ages."""
    loss = make_loss(section(loss="year_distribution", **changes), torch.tensor(ages))
    return float(best_answer(loss, torch.tensor([age]))[0, CONTEST.borders[-1]:].sum())


def best_answer(loss, target) -> torch.Tensor:
    """The probabilities (B, YEARS) at which the loss is least."""
    logits = torch.zeros(len(target), YEARS, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=300, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss(logits, target)
        value.backward()
        return value

    optimizer.step(closure)
    return logits.detach().softmax(1)


def test_where_labels_end_at_60_the_best_answer_to_60_is_60_and_over_and_to_59_in_between():
    ages = [20, 40, 59, 60]
    assert over_60(ages, 60) > 0.999
    assert 0.4 < over_60(ages, 59) < 0.5
    assert torch.equal(YearDistribution(3.0, cap=60).around[:60], YearDistribution(3.0).around[:60])  # the younger


def test_where_labels_go_on_to_80_60_is_an_age_like_any_other():
    assert 0.56 < over_60([20, 40, 60, 80], 60) < 0.57


def test_at_the_cap_the_years_after_it_keep_their_shares():
    cut, whole = YearDistribution(3.0, cap=60).around[60], YearDistribution(3.0).around[60]
    torch.testing.assert_close(cut, torch.where(torch.arange(YEARS) >= 60, whole, 0) / whole[60:].sum())


def test_where_nobody_is_60_the_oldest_is_not_pushed_over_the_border():
    assert over_60([20, 40, 59], 59) < 0.5


def test_a_cap_leaves_the_loss_of_every_answer_finite():
    loss, ages = YearDistribution(3, cap=60), torch.tensor([60, 59, 20])
    logits = (100 * torch.randn(3, YEARS, generator=torch.Generator().manual_seed(0))).requires_grad_()
    loss(logits, ages).backward()
    assert logits.grad.isfinite().all()
