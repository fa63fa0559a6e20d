"""The networks of a model share its vote, and the ballots have their weights."""
import numpy as np
import pytest

from labeller.voting.ballots import decide, vote_of_model, vote_on_ballots
from labeller.voting.probabilities import scale

A, B = np.array([[0.9, 0.1]]), np.array([[0.2, 0.8]])


def test_networks_vote_by_their_weights_and_temperatures():
    assert vote_of_model([A, B], [1, 1], "soft") == pytest.approx((A + B) / 2)
    assert vote_of_model([A, B], [1, 1], "soft", [3, 1]) == pytest.approx((3 * A + B) / 4)
    assert vote_of_model([A, B], [2, 1], "soft") == pytest.approx((scale(A, 2) + B) / 2)
    assert vote_of_model([A, A, B], [1, 1, 1], "hard").argmax() == 0


def test_a_ballot_of_weight_zero_is_none_and_one_alone_decides():
    assert vote_on_ballots({"specialists": A, "joint 3": B}, {"specialists": 0, "joint 3": 2}, "soft") == pytest.approx(B)
    assert vote_on_ballots({"specialists": A, "joint 3": B}, {"specialists": 1, "joint 3": 3}, "soft") == pytest.approx(
        (A + 3 * B) / 4)


def test_offsets_act_on_the_logarithms():
    assert decide(A, np.array([0, np.log(9) - 0.01])).tolist() == [0]
    assert decide(A, np.array([0, np.log(9) + 0.01])).tolist() == [1]
    assert decide(np.array([[1.0, 0.0]]), np.zeros(2)).tolist() == [0]
