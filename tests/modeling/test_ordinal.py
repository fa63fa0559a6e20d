"""Age learnt by ranks: the head's answers stay in order, are probabilities of the groups, and have a loss that is CORAL's."""
import pytest
import torch
from torch.nn.functional import logsigmoid, one_hot

from stages.core.classes import CONTEST, OLDEST
from stages.modeling.age_distribution import YEARS, group_of_years
from stages.modeling.losses import balanced, make_loss
from stages.modeling.ordinal import Ordinal, OrdinalHead, group_logs
from tests.sections import section

GROUP = torch.from_numpy(group_of_years(CONTEST.borders))  # of each year
torch.manual_seed(0)
LOGITS, AGES = 3 * torch.randn(6, OLDEST), torch.tensor([0, 29, 30, 59, 60, OLDEST])


def head_that_has_learnt(features: int = 8) -> OrdinalHead:
    head = OrdinalHead(features, CONTEST.borders)
    torch.nn.init.normal_(head.weight)
    return head


def test_the_head_has_one_weight_vector_and_a_bias_for_each_year_but_the_first():
    head = head_that_has_learnt()
    x = torch.randn(5, 8)
    logits = head.train()(x)
    assert logits.shape == (5, OLDEST)
    torch.testing.assert_close(logits, (x @ head.weight.T) + head.bias)
    assert sum(weight.numel() for weight in head.parameters()) == 8 + OLDEST


def test_at_first_every_year_is_equally_likely_and_the_ranks_are_in_order():
    head = OrdinalHead(8, CONTEST.borders)
    at_least = head.train()(torch.randn(4, 8)).sigmoid()
    assert (at_least.diff(dim=1) < 0).all()
    torch.testing.assert_close(at_least, ((YEARS - torch.arange(1, YEARS)) / YEARS).expand(4, -1))


def test_an_older_face_is_likelier_to_be_as_old_as_any_year():
    head = head_that_has_learnt()
    faces = torch.outer(torch.linspace(-3, 3, 7), head.weight[0])
    assert (head.train()(faces).diff(dim=0) > 0).all()


def test_groups_are_the_differences_between_the_ranks_at_the_official_borders():
    head, x = head_that_has_learnt(), torch.randn(50, 8)
    p30, p60 = (head.train()(x)[:, border - 1].sigmoid() for border in CONTEST.borders)
    groups = head.eval()(x)
    torch.testing.assert_close(groups.exp(), torch.stack([1 - p30, p30 - p60, p60], 1))
    torch.testing.assert_close(groups.softmax(1), groups.exp())  # they are log-probabilities already


@pytest.mark.parametrize("borders", [(18,), (20, 40, 60), (1, 2, 120)])
def test_other_age_groups_are_the_differences_between_the_ranks_at_their_borders(borders):
    head, x = OrdinalHead(8, borders), torch.randn(50, 8)
    torch.nn.init.normal_(head.weight)
    at_least = head.train()(x).sigmoid()
    ranks = torch.stack([torch.ones(50), *(at_least[:, border - 1] for border in borders), torch.zeros(50)], 1)
    groups = head.eval()(x).exp()
    torch.testing.assert_close(groups, -ranks.diff(dim=1), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(groups.sum(1), torch.ones(50))


@pytest.mark.parametrize("ranks, none", [([-1.0, 2, 0.5], [1, 2]), ([2.0, -1, 0.5], [2]), ([0.5, 2, -1], [1])])
def test_four_groups_sum_to_one_where_the_ranks_are_not_in_order(ranks, none):
    """A rank that is likelier than one before it is taken for that one, which leaves no one in the group between."""
    logits = torch.zeros(1, OLDEST)
    logits[:, [19, 39, 59]] = torch.tensor(ranks)
    groups = group_logs(logits, (20, 40, 60)).exp()
    assert float(groups.sum()) == pytest.approx(1, abs=1e-5)
    assert (groups[0] < 1e-20).nonzero().flatten().tolist() == none


@pytest.mark.parametrize("apart", [2.0, 0.0, -2.0], ids=["in order", "equal", "out of order"])
@pytest.mark.parametrize("where", [-1000.0, -40.0, 0.0, 40.0, 1000.0])
def test_groups_are_finite_and_sum_to_one_even_where_the_ranks_are_not_in_order(where, apart):
    logits = torch.zeros(1, OLDEST)
    logits[:, CONTEST.borders[0] - 1], logits[:, CONTEST.borders[1] - 1] = where + apart, where
    logs = group_logs(logits, CONTEST.borders)
    assert logs.isfinite().all()
    assert float(logs.exp().sum()) == pytest.approx(1, abs=1e-5)
    if apart < 0:
        assert logs[0, 1] < -50


def test_where_both_ranks_are_nearly_sure_the_middle_group_keeps_its_digits():
    logits = torch.zeros(1, OLDEST)
    logits[:, CONTEST.borders[0] - 1], logits[:, CONTEST.borders[1] - 1] = 32.0, 30.0
    exact = logits.double().sigmoid()
    want = (exact[0, CONTEST.borders[0] - 1] - exact[0, CONTEST.borders[1] - 1]).log()
    assert float(group_logs(logits, CONTEST.borders)[0, 1]) == pytest.approx(float(want), rel=1e-3)


def test_the_loss_is_equation_4_of_its_paper():
    want = 0
    for logits, age in zip(LOGITS, AGES):
        for k in range(1, YEARS):
            want = want - logsigmoid(logits[k - 1] if age >= k else -logits[k - 1]) / len(AGES)
    torch.testing.assert_close(Ordinal()(LOGITS, AGES), want)


def test_soft_labels_are_a_mixture_of_the_ages():
    mixed = 0.25 * one_hot(torch.tensor([20]), YEARS) + 0.75 * one_hot(torch.tensor([50]), YEARS)
    each = [Ordinal()(LOGITS[:1], torch.tensor([age])) for age in (20, 50)]
    torch.testing.assert_close(Ordinal()(LOGITS[:1], mixed), 0.25 * each[0] + 0.75 * each[1])
    torch.testing.assert_close(Ordinal()(LOGITS, one_hot(AGES, YEARS).float()), Ordinal()(LOGITS, AGES))


def test_weights_are_those_of_the_age_groups():
    weight, of_photos = torch.tensor([1.0, 2.0, 8.0]), torch.tensor([1.0, 1, 2, 2, 8, 8])
    each = torch.stack([Ordinal()(LOGITS[i:i + 1], AGES[i:i + 1]) for i in range(6)])
    torch.testing.assert_close(Ordinal(weight[GROUP])(LOGITS, AGES), (each * of_photos).sum() / of_photos.sum())


def test_the_loss_has_the_weights_that_the_section_asks_for():
    ages = torch.tensor([20, 21, 22, 40, 41, 70])
    weighted = make_loss(section(loss="ordinal", class_weights="balanced"), ages)
    assert torch.equal(weighted(LOGITS, ages), Ordinal(balanced(torch.tensor([0, 0, 0, 1, 1, 2]), 3)[GROUP])(LOGITS, ages))
    assert torch.equal(make_loss(section(loss="ordinal"), ages)(LOGITS, ages), Ordinal()(LOGITS, ages))


def test_a_head_that_starts_undecided_learns_to_tell_the_groups():
    ages = torch.tensor([20, 25, 40, 50, 60, 65])
    x = torch.stack([(ages - 45) / 10.0, torch.ones(6)], 1)
    head, loss = OrdinalHead(2, CONTEST.borders), Ordinal()
    optimizer = torch.optim.Adam(head.parameters(), 0.1)
    for _ in range(300):
        optimizer.zero_grad()
        loss(head.train()(x), ages).backward()
        optimizer.step()
    assert head.eval()(x).argmax(1).tolist() == [0, 0, 1, 1, 2, 2]
