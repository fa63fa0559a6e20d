"""An augmentation changes crops, by its seed alone, and keeps their shape."""
import albumentations as A
import numpy as np
import pytest

from stages.lib.augment import LISTS, NOISE, Augment
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
    """R4's variance is 10 to 50 in units of 0 to 255; albumentations gives about a tenth less than it is asked for."""
    grey, noise = np.full((256, 256, 3), 128, np.uint8), A.Compose([A.GaussNoise(**NOISE, p=1)])
    spread = []
    for seed in range(20):
        noise.set_random_seed(seed)
        spread.append(noise(image=grey)["image"].std())
    assert min(spread) > 10**0.5 * 0.85
    assert max(spread) < 50**0.5 * 1.05
    assert max(spread) > 1.5 * min(spread)  # drawn anew for each crop
    assert any(isinstance(part, A.GaussNoise) and part.std_range == NOISE["std_range"] for part in LISTS["r4_age"]())
