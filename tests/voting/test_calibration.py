"""Scaled probabilities are as sure as they are right, whatever the network's temperature was; no choice changes."""
import numpy as np
import pytest

from labeller.voting.probabilities import scale
from stages.voting.calibration import find_temperature


@pytest.fixture
def honest():
    """Probabilities (4000, 3) and classes drawn by them."""
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(3), 4000)
    return chances, np.array([rng.choice(3, p=row) for row in chances])


@pytest.mark.parametrize("temperature", [0.4, 1, 3])
def test_the_temperature_that_was_applied_is_found(honest, temperature):
    chances, true = honest
    assert find_temperature(scale(chances, temperature), true) == pytest.approx(1 / temperature, rel=0.06)


def test_no_choice_changes_and_rows_sum_to_1(honest):
    chances, _ = honest
    for temperature in (0.1, 10):
        scaled = scale(chances, temperature)
        np.testing.assert_allclose(scaled.sum(1), 1)
        np.testing.assert_array_equal(scaled.argmax(1), chances.argmax(1))
    assert scale(chances, 10).max() < 0.7 < scale(chances, 0.1).max(1).mean()


def test_certainty_that_is_wrong_stays_finite():
    chances = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert find_temperature(chances, np.array([1, 0, 1])) == pytest.approx(10, rel=0.1)
    assert np.isfinite(scale(chances, 0.1)).all()
