"""Joint probabilities are products, and give back those that they were made of."""
import numpy as np

from labeller.voting.probabilities import joint, marginal
from stages.core.classes import CONTEST


def test_the_joint_probabilities_are_the_products_and_their_likeliest_the_likeliest_of_each():
    rng = np.random.default_rng(0)
    parts = [rng.dirichlet(np.ones(n), 50) for n in (3, 2, 3)]
    chances = joint(*parts)
    assert chances.shape == (50, len(CONTEST.names))
    np.testing.assert_allclose(chances.sum(1), 1)
    for part, chosen in zip(parts, CONTEST.decode(chances.argmax(1))):
        np.testing.assert_array_equal(part.argmax(1), chosen)


def test_each_attribute_has_its_own_probabilities_back():
    rng = np.random.default_rng(0)
    parts = [rng.dirichlet(np.ones(size), 5) for size in (3, 2, 3)]
    for at, part in enumerate(parts):
        np.testing.assert_allclose(marginal(joint(*parts), (3, 2, 3), at), part)
