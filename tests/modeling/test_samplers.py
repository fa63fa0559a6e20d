"""Each epoch draws everyone once, or every class or cell as often as the others."""
import numpy as np
import pytest

from stages.modeling.samplers import balance_key, draw, weights_by

CLASSES = np.repeat([0, 1, 2], [9000, 900, 100])
CELLS = np.random.default_rng(0).permutation(np.repeat(["m0", "m1", "m2", "f0"], [60, 40, 9000, 900]))


def drawn_shares(kind: str) -> np.ndarray:
    key = balance_key(kind, CLASSES, CELLS)
    positions = draw(weights_by(key), len(key), seed=7, epoch=0)
    assert len(positions) == len(key)
    return np.unique(key[positions], return_counts=True)[1] / len(key)


def test_a_photo_weighs_one_by_how_often_its_key_occurs():
    np.testing.assert_allclose(weights_by(np.array(["b", "a", "b", "b"])), [1 / 3, 1, 1 / 3, 1 / 3])


def test_by_class_each_class_is_drawn_as_often_however_rare():
    np.testing.assert_allclose(drawn_shares("class"), [1 / 3] * 3, atol=0.02)


def test_by_cell_each_cell_is_drawn_as_often_however_rare():
    np.testing.assert_allclose(drawn_shares("cell"), [1 / 4] * 4, atol=0.02)


def test_photos_of_one_class_are_drawn_alike():
    positions = draw(weights_by(CLASSES), 200_000, seed=7, epoch=0)
    counts = np.bincount(positions, minlength=len(CLASSES))[CLASSES == 2]
    assert counts.min() > 500
    assert counts.max() < 850  # of 667 each, with a standard deviation of 26


def test_none_draws_everyone_once():
    assert balance_key("none", CLASSES, CELLS) is None
    assert sorted(draw(None, 50, seed=7, epoch=3)) == list(range(50))


@pytest.mark.parametrize("weights", [None, weights_by(CLASSES)])
def test_seed_and_epoch_alone_decide(weights):
    first = draw(weights, 1000, seed=7, epoch=1)
    np.testing.assert_array_equal(first, draw(weights, 1000, seed=7, epoch=1))
    assert not np.array_equal(first, draw(weights, 1000, seed=7, epoch=2))
    assert not np.array_equal(first, draw(weights, 1000, seed=8, epoch=1))
