"""A soft vote is the mean; a hard vote counts choices, and only a tie looks at how sure they were."""
import numpy as np
import pytest

from labeller.voting.vote import vote

MEMBERS = np.array([[[0.6, 0.4, 0.0]], [[0.6, 0.4, 0.0]], [[0.0, 1.0, 0.0]]])  # 3 members, 1 photo, 3 classes


def test_soft_is_the_mean():
    assert vote(MEMBERS, "soft") == pytest.approx(MEMBERS.mean(0))
    assert vote(MEMBERS, "soft").argmax() == 1


def test_hard_counts_the_choices():
    assert vote(MEMBERS, "hard").argmax() == 0


def test_a_hard_tie_goes_to_the_surer_side():
    tie = np.array([[[0.51, 0.49]], [[0.1, 0.9]]])
    assert vote(tie, "hard").argmax() == 1


@pytest.mark.parametrize("rule", ["soft", "hard"])
def test_rows_sum_to_one_and_one_member_decides_alone(rule):
    random = np.random.default_rng(0).dirichlet(np.ones(3), (5, 40))
    assert vote(random, rule).sum(1) == pytest.approx(np.ones(40))
    assert (vote(random[:1], rule).argmax(1) == random[0].argmax(1)).all()


def test_hard_agrees_with_a_count_by_hand():
    random = np.random.default_rng(1).dirichlet(np.ones(3), (5, 200))
    counts = np.stack([np.bincount(choices, minlength=3) for choices in random.argmax(2).T])
    chosen = vote(random, "hard").argmax(1)
    assert (counts[np.arange(200), chosen] == counts.max(1)).all()


@pytest.mark.parametrize("rule", ["soft", "hard"])
def test_a_member_of_weight_zero_has_no_vote(rule):
    random = np.random.default_rng(2).dirichlet(np.ones(3), (3, 100))
    assert vote(random, rule, [1, 0, 2]) == pytest.approx(vote(random[[0, 2]], rule, [1, 2]))
    assert vote(random, rule, [1, 1, 1]) == pytest.approx(vote(random, rule))


@pytest.mark.parametrize("rule", ["soft", "hard"])
def test_a_member_of_weight_two_votes_as_two_would(rule):
    random = np.random.default_rng(3).dirichlet(np.ones(3), (3, 100))
    assert (vote(random, rule, [2, 1, 1]).argmax(1) == vote(random[[0, 0, 1, 2]], rule).argmax(1)).all()
    assert vote(random, "soft", [2, 1, 1]) == pytest.approx(vote(random[[0, 0, 1, 2]], "soft"))


def test_a_soft_tie_break_never_outweighs_a_light_vote():
    one_vote_more = np.array([[[0.51, 0.49]], [[0.51, 0.49]], [[0.0, 1.0]]])
    assert vote(one_vote_more, "hard", [1, 0.001, 1]).argmax() == 0
    assert vote(one_vote_more, "hard", [1, 1, 1.999]).argmax() == 0
