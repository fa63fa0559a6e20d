"""An augmentation changes crops, by its seed alone, and keeps their shape."""
import numpy as np
import pytest

from stages.lib.augment import LISTS, Augment
from stages.lib.params import Model


@pytest.fixture
def crop():
    return np.random.default_rng(0).integers(0, 256, (48, 36, 3)).astype(np.uint8)


@pytest.mark.parametrize("name", sorted(LISTS.keys() - {"none"}))
def test_the_seed_alone_decides_what_becomes_of_a_crop(crop, name):
    one, other = Augment(name), Augment(name)
    first = [one(crop, seed) for seed in range(12)]
    again = [other(crop, seed) for seed in reversed(range(12))][::-1]
    assert all((a == b).all() for a, b in zip(first, again))
    assert len({a.tobytes() for a in first}) > 3
    assert {a.shape for a in first} == {crop.shape}
    assert {a.dtype for a in first} == {np.dtype(np.uint8)}


def test_none_changes_nothing(crop):
    assert (Augment("none")(crop, 3) == crop).all()


def test_every_name_that_params_allows_has_its_list():
    allowed = Model.model_fields["augment"].annotation.__args__
    assert set(allowed) == set(LISTS)


def test_noise_is_as_faint_as_r4s():
    grey = np.full((64, 64, 3), 128, np.uint8)
    noise = LISTS["r4_age"]()[-1]
    noise.p = 1
    spread = [noise(image=grey)["image"].std() for _ in range(20)]
    assert 10**0.5 * 0.9 < min(spread) and max(spread) < 50**0.5 * 1.1  # the variance is 10 to 50
