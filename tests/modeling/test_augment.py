"""An augmentation changes crops, by its seed alone, keeps their shape, and acts in its turn."""
import hashlib
import os
import pickle
import random
import subprocess
import sys

import albumentations as A
import cv2
import numpy as np
import pytest
import torch

from stages.core.augmentation_names import AUGMENTATIONS
from stages.modeling.augment import ALWAYS, NAMES, NOISE, R3_NOISE, Augment, Torchvision, at_test, resized
from stages.synthetic.appearance import draw_look
from stages.synthetic.render import draw_photo
from tests.conftest import ROOT

SEEDS = range(40)
every_name = pytest.mark.parametrize("name", NAMES)


def make_crop() -> np.ndarray:
    """Of random colours, and read-only, as the crops of a file mapped into memory are."""
    crop = np.random.default_rng(0).integers(0, 256, (48, 36, 3)).astype(np.uint8)
    crop.flags.writeable = False
    return crop


@pytest.fixture
def crop():
    return make_crop()


def is_grey(crop: np.ndarray) -> bool:
    return bool((crop == crop[:, :, :1]).all())


def digest() -> str:
    """Of what every name makes of a crop with three seeds."""
    results = [Augment([name])(make_crop(), seed).tobytes() for name in NAMES for seed in range(3)]
    return hashlib.sha256(b"".join(results)).hexdigest()


def in_new_process(code: str) -> str:
    python = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    return subprocess.run(python, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@every_name
def test_it_changes_pixels_and_keeps_shape_and_type(crop, name):
    results = [Augment([name])(crop, seed) for seed in SEEDS]
    assert any((result != crop).any() for result in results)
    assert {result.shape for result in results} == {crop.shape}
    assert {result.dtype for result in results} == {np.dtype(np.uint8)}


@every_name
def test_the_seed_alone_decides_what_becomes_of_a_crop(crop, name):
    one, other = Augment([name]), Augment([name])
    first = [one(crop, seed).tobytes() for seed in SEEDS]
    for draw in (random.random, np.random.random, lambda: torch.rand(3)):
        draw()
    again = [other(crop, seed).tobytes() for seed in reversed(SEEDS)][::-1]
    assert first == again
    assert len(set(first)) > 1 or name in ALWAYS


@every_name
def test_the_generators_of_others_and_their_threads_stay_as_they_were(crop, name, monkeypatch):
    seeded = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        before = random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist(), torch.get_num_threads()
        Augment([name])(crop, 5)
        after = random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist(), torch.get_num_threads()
    finally:
        torch.set_num_threads(threads)
    assert before == after
    assert not seeded  # a GPU draws the dropout


def test_another_process_makes_the_same_bytes_and_imports_torchvision_only_for_a_name_that_needs_it():
    """One test for both, for its process takes seconds to start."""
    code = ("import sys; from tests.modeling.test_augment import Augment, digest; Augment(['light', 'r3'])\n"
            "print('torchvision' in sys.modules, digest())")
    assert in_new_process(code) == f"False {digest()}"


def test_a_worker_that_gets_it_by_pickle_makes_the_same_bytes(crop):
    augment = Augment(list(NAMES))
    assert (pickle.loads(pickle.dumps(augment))(crop, 7) == augment(crop, 7)).all()


def test_torchvisions_sums_do_not_depend_on_the_number_of_threads(crop):
    seen, augment = [], Augment(["randaugment"])
    augment.before.transforms[0].policy = lambda image: seen.append(torch.get_num_threads()) or image
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert (augment(crop, 0) == crop).all()
    finally:
        torch.set_num_threads(threads)
    assert seen == [1]


def test_no_name_changes_nothing(crop):
    assert (Augment([])(crop, 3) == crop).all()


def test_transforms_are_drawn_independently_of_each_other(crop):
    """Where all were seeded alike, those of probability .5 would act together or not at all."""
    acted = set()
    augment = Augment(["flip", "rotate", "noise"])
    for seed in range(100):
        augment(crop, seed)
        acted.add(tuple(bool(transform.params) for transform in augment.before.transforms + augment.after.transforms))
    assert len(acted) == 8


def test_one_of_torchvisions_twice_does_two_things(crop):
    augment, seeds = Augment(["trivialaugment", "trivialaugment"]), set()
    for seed in range(5):
        augment(crop, seed)
        seeds |= {transform.params["seed"] for transform in augment.before.transforms}
    assert len(seeds) == 10


def test_names_that_move_no_pixels_act_in_their_order(crop):
    noise_last, grey_last = Augment(["grey", "noise"]), Augment(["noise", "grey"])
    assert all(is_grey(grey_last(crop, seed)) for seed in SEEDS)
    assert not all(is_grey(noise_last(crop, seed)) for seed in SEEDS)
    jitter_last, grey_last = Augment(["grey", "color_jitter"]), Augment(["color_jitter", "grey"])
    assert any((jitter_last(crop, seed) != grey_last(crop, seed)).any() for seed in SEEDS)


@pytest.mark.parametrize("name", sorted(NAMES.keys() - {"noise", "r4_gender", "r4_age", "r3", "erasing"}))
def test_grey_stays_grey_whatever_comes_after_it_but_noise_and_erasing(crop, name):
    augment = Augment(["grey", name])
    assert all(is_grey(augment(crop, seed)) for seed in SEEDS)


def test_grey_is_the_luma_in_three_equal_channels(crop):
    for seed in SEEDS:
        grey = Augment(["grey"])(crop, seed)
        assert is_grey(grey)
        assert np.abs(grey[:, :, 0] - crop @ [0.299, 0.587, 0.114]).max() < 1


def test_random_grey_leaves_most_crops_in_colour(crop):
    augment = Augment(["random_grey"])
    assert 0.05 < np.mean([is_grey(augment(crop, seed)) for seed in range(300)]) < 0.15


def test_at_test_keeps_grey_and_nothing_else():
    assert at_test(["flip", "grey", "noise"]) == ["grey"]
    assert at_test([name for name in NAMES if name != "grey"]) == []
    assert at_test([]) == []


def test_what_acts_at_test_acts_on_every_crop():
    assert [transform.p for name in ALWAYS for transform in NAMES[name]()] == [1]


def test_params_can_know_every_name_without_a_slow_import():
    assert AUGMENTATIONS == tuple(NAMES)
    loaded = in_new_process("import sys, stages.core.augmentation_names; print(*sys.modules)").split()
    assert not {"albumentations", "cv2", "numpy", "torch", "torchvision"} & set(loaded)


def test_r4s_lists_have_its_values():
    place, colour = NAMES["r4_mask"]()
    assert (place.p, colour.p) == (0.5, 0.5)
    assert [type(part) for part in place.transforms] == [A.Perspective, A.Rotate]
    bright, hue, contrast = colour.transforms
    assert (bright.brightness_limit, bright.contrast_limit) == ((-0.2, 0.2), (0, 0))
    assert (contrast.brightness_limit, contrast.contrast_limit) == ((0, 0), (-0.2, 0.2))
    assert isinstance(hue, A.HueSaturationValue)
    assert [(type(part), part.p) for part in NAMES["r4_gender"]()] == [
        (A.Rotate, 0.5), (A.Perspective, 0.5), (A.GaussNoise, 0.5)]
    rotate, tiles, noise = NAMES["r4_age"]()
    assert [part.p for part in (rotate, tiles, noise)] == [0.5, 0.5, 0.5]
    assert [type(part) for part in tiles.transforms] == [A.RandomGridShuffle, A.Perspective]
    assert tiles.transforms[0].grid == (2, 2)
    for rotate in (place.transforms[1], NAMES["r4_gender"]()[0], NAMES["r4_age"]()[0]):
        assert rotate.limit == (-20, 20)
        assert rotate(image=np.full((32, 32, 3), 200, np.uint8))["image"].min() > 190  # no black corners
    for noise in (NAMES["r4_gender"]()[2], NAMES["r4_age"]()[2]):
        assert noise.std_range == NOISE["std_range"]


def test_r2s_and_r3s_lists_have_their_values():
    flip, jitter = NAMES["r2_age"]()
    assert (type(flip), flip.p, jitter.p) == (A.HorizontalFlip, 0.5, 1)
    assert [jitter.brightness, jitter.contrast, jitter.saturation] == [pytest.approx((0.6, 1.4))] * 3
    assert jitter.hue == pytest.approx((-0.1, 0.1))
    affine, jitter, flip, noise = NAMES["r3"]()
    assert (affine.rotate, affine.shear["x"], affine.shear["y"]) == ((-10, 10), (-5, 5), (0, 0))
    assert (jitter.brightness, jitter.saturation) == ((0.9, 1.1), (0.9, 1.1))
    assert (jitter.contrast, jitter.hue) == ((0.7, 1.3), (0, 0))
    assert (affine.p, jitter.p, flip.p, noise.p) == (1, 1, 0.5, 0.5)
    assert noise.std_range == R3_NOISE["std_range"]


@pytest.mark.parametrize("name, policy", [
    ("autoaugment", "AutoAugment"), ("randaugment", "RandAugment"),
    ("augmix", "AugMix"), ("trivialaugment", "TrivialAugmentWide"),
])
def test_a_published_policy_is_the_one_of_its_paper(name, policy):
    transform, = NAMES[name]()
    assert isinstance(transform, Torchvision)
    assert type(transform.policy).__name__ == policy
    for key, value in {"num_ops": 2, "magnitude": 9, "severity": 3, "mixture_width": 3}.items():
        assert getattr(transform.policy, key, value) == value
    if name == "autoaugment":
        assert transform.policy.policy.value == "imagenet"


def test_erasing_replaces_a_rectangle_of_about_the_papers_sizes():
    crop = np.random.default_rng(1).integers(0, 256, (48, 48, 3)).astype(np.uint8)
    augment, areas = Augment(["erasing"]), []
    for seed in range(200):
        rows, columns = np.nonzero((augment(crop, seed) != crop).any(2))
        if len(rows):
            height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
            assert len(rows) > 0.95 * height * width  # all of it, but for pixels that were drawn as they had been
            areas.append(height * width / 48**2)
    assert 80 < len(areas) < 120
    assert 0.015 < min(areas) < 0.05
    assert 0.25 < max(areas) < 0.32


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


@pytest.fixture(scope="module")
def faces() -> list[np.ndarray]:
    """Twelve drawn faces at twice the network's 64 pixels."""
    rng = np.random.default_rng(0)
    photos = [draw_photo(draw_look(k % 2, 20 + 3 * k, rng), k % 3, rng)[70:370, 42:342] for k in range(12)]
    return [cv2.resize(photo, (128, 128), interpolation=cv2.INTER_AREA) for photo in photos]


def sharpness(crops: list[np.ndarray]) -> float:
    """The mean variance of the Laplacian."""
    grey = [cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32) for crop in crops]
    return np.mean([cv2.Laplacian(crop, cv2.CV_32F).var() for crop in grey])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "autoaugment"])
def test_crops_to_train_on_are_as_sharp_as_those_to_score(faces, name):
    """Within 8 percent, by what moves pixels alone; AutoAugment's posterizing sharpens as it should."""
    augment = Augment([name])
    augment.after.transforms = []
    plain = sharpness([resized(face, (64, 64)) for face in faces])
    moved = sharpness([augment(face, seed, (64, 64)) for seed in range(12) for face in faces])
    assert moved / plain == pytest.approx(1, abs=0.08)


def test_noise_is_not_averaged_away_by_the_resize():
    flat = np.full((64, 64, 3), 128, np.uint8)
    at_once, resized_first = Augment(["noise"]), Augment(["noise"])
    for seed in range(10):
        large = at_once(np.full((128, 128, 3), 128, np.uint8), seed, (64, 64))
        assert (large == resized_first(flat, seed)).all()


def test_resized_crop_shows_a_part_of_the_crop_of_at_least_the_share_asked_for():
    ramp = np.zeros((100, 80, 3), np.uint8)
    ramp[:, :, 0], ramp[:, :, 1] = np.arange(100)[:, None], np.arange(80)  # each pixel says where it came from
    areas, places = [], set()
    for seed in range(200):
        got = Augment(["resized_crop"], {"resized_crop": {"smallest": 0.3}})(ramp, seed).astype(int)
        high, wide = np.ptp(got[:, :, 0]) + 1, np.ptp(got[:, :, 1]) + 1
        areas.append(high * wide / 8000)
        places.add((got[0, 0, 0], got[0, 0, 1]))
        assert 0.7 < (high / 100) / (wide / 80) < 1.43
    assert 0.27 < min(areas) < 0.4 and 0.85 < max(areas) <= 1
    assert len(places) > 50


@pytest.mark.parametrize("smallest", [0.9, 1.0])
def test_a_resized_crop_that_may_cut_little_cuts_no_more(smallest):
    ramp = np.zeros((100, 80, 3), np.uint8)
    ramp[:, :, 0], ramp[:, :, 1] = np.arange(100)[:, None], np.arange(80)
    for seed in range(100):
        got = Augment(["resized_crop"], {"resized_crop": {"smallest": smallest}})(ramp, seed).astype(int)
        assert (np.ptp(got[:, :, 0]) + 1) * (np.ptp(got[:, :, 1]) + 1) / 8000 > smallest - 0.02  # whole pixels


def test_randaugment_moves_crops_further_at_a_higher_magnitude():
    crop = make_crop()
    far = [np.mean([np.abs(Augment(["randaugment"], {"randaugment": {"magnitude": magnitude}})(crop, seed).astype(int) - crop)
                    .mean() for seed in SEEDS]) for magnitude in (1, 25)]
    assert far[1] > 1.3 * far[0]
