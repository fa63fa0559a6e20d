"""The mean-variance loss is its paper's: the nearer and the narrower the guess, the less it is."""
import torch
from torch.nn.functional import cross_entropy, one_hot

from stages.core.classes import CONTEST
from stages.modeling.age_distribution import YEARS, group_of_years
from stages.modeling.losses import balanced, make_loss
from stages.modeling.mean_variance import MeanVariance
from tests.sections import section

GROUP = torch.from_numpy(group_of_years(CONTEST.borders))  # of each year
torch.manual_seed(0)
LOGITS, AGES = torch.randn(6, YEARS), torch.tensor([0, 29, 30, 59, 60, YEARS - 1])


def around(mean: float, sigma: float) -> torch.Tensor:
    """Logits (1, YEARS) of a normal distribution."""
    return (-((torch.arange(YEARS) - mean) / sigma) ** 2 / 2)[None]


def test_the_loss_is_the_sum_of_its_papers_three_terms():
    want, p = cross_entropy(LOGITS, AGES), LOGITS.softmax(1)
    for chances, age in zip(p, AGES):
        mean = sum(year * chance for year, chance in enumerate(chances))
        variance = sum(chance * (year - mean) ** 2 for year, chance in enumerate(chances))
        want = want + (0.3 / 2 * (mean - age) ** 2 + 0.07 * variance) / len(AGES)
    torch.testing.assert_close(MeanVariance(0.3, 0.07)(LOGITS, AGES), want)


def test_with_weights_of_0_it_is_cross_entropy_over_years():
    torch.testing.assert_close(MeanVariance(0, 0)(LOGITS, AGES), cross_entropy(LOGITS, AGES))


def test_a_guess_that_is_further_off_or_wider_costs_by_its_own_term():
    age = torch.tensor([40])

    def rise(mean_weight: float, variance_weight: float, mean: float, sigma: float) -> float:
        """What the two terms add to the cross entropy of a guess."""
        guess = around(mean, sigma)
        return float(MeanVariance(mean_weight, variance_weight)(guess, age) - MeanVariance(0, 0)(guess, age))

    torch.testing.assert_close(rise(0.2, 0, 43, 2), 0.2 / 2 * 3 ** 2, rtol=1e-3, atol=0)
    torch.testing.assert_close(rise(0, 0.05, 43, 2), 0.05 * 2 ** 2, rtol=1e-3, atol=0)


def test_soft_labels_ask_for_their_expected_age():
    mixed = 0.25 * one_hot(torch.tensor([20]), YEARS) + 0.75 * one_hot(torch.tensor([60]), YEARS)
    guess = around(50, 2)
    torch.testing.assert_close(MeanVariance(0.2, 0.05)(guess, mixed), cross_entropy(guess, mixed) + 0.05 * 4, rtol=1e-3, atol=0)
    loss = MeanVariance(0.2, 0.05)
    torch.testing.assert_close(loss(LOGITS, one_hot(AGES, YEARS).float()), loss(LOGITS, AGES))


def test_weights_are_those_of_the_age_groups():
    weight, of_photos = torch.tensor([1.0, 2.0, 8.0]), torch.tensor([1.0, 1, 2, 2, 8, 8])
    each = torch.stack([MeanVariance(0.2, 0.05)(LOGITS[i:i + 1], AGES[i:i + 1]) for i in range(6)])
    torch.testing.assert_close(MeanVariance(0.2, 0.05, weight[GROUP])(LOGITS, AGES), (each * of_photos).sum() / of_photos.sum())


def test_the_loss_has_the_weights_that_the_section_asks_for():
    ages = torch.tensor([20, 21, 22, 40, 41, 70])
    asked = section(loss="mean_variance", mean_weight=0.4, variance_weight=0.3, class_weights="balanced")
    want = MeanVariance(0.4, 0.3, balanced(torch.tensor([0, 0, 0, 1, 1, 2]), 3)[GROUP])
    assert torch.equal(make_loss(asked, ages)(LOGITS, ages), want(LOGITS, ages))
    papers = make_loss(section(loss="mean_variance"), ages)
    assert torch.equal(papers(LOGITS, ages), MeanVariance(0.2, 0.05)(LOGITS, ages))
