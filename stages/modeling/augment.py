"""Augmentations by name, each a list of albumentations transforms; a model's `augment` lists names in order.

To add one, write a function, add it to NAMES, and its name to stages/core/augmentation_names.py. r2_*, r3 and r4_* are
the reference systems' lists with their values, written for albumentations 2: brightness and contrast alone are
RandomBrightnessContrast with the other limit 0, and noise has R4's variance of 10 to 50 on a scale of 0 to 255.
"""
import math
import os
import random
from contextlib import contextmanager

import numpy as np
import torch

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else it asks the network for a newer version
import albumentations as A
import cv2

ALWAYS = ("grey",)  # applied at test time too: a network trained on grey must not see colours

CUBIC = {"interpolation": cv2.INTER_CUBIC}  # bilinear blurs: validation crops would be sharper than those trained on
TURN = {"limit": 20, "border_mode": cv2.BORDER_REFLECT_101, **CUBIC}  # version 1's border, as R4; version 2 leaves black
NOISE = {"std_range": (10**0.5 / 255, 50**0.5 / 255)}
R3_NOISE = {"std_range": (0.243, 0.243)}  # 1 after R3's normalisation, which divides by .237, .247 and .246


@contextmanager
def torch_seeded(seed: int):
    """Seed torch's CPU generator, on one thread, since sums over large crops vary with their number; restore both after."""
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.default_generator.manual_seed(seed)  # torch.manual_seed would also seed the GPUs, for good
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_rng_state(state)
        torch.set_num_threads(threads)


class Torchvision(A.ImageOnlyTransform):
    """A transform of torchvision.transforms.v2 for albumentations, by name, with `options` and its defaults."""

    def __init__(self, name: str, **options):
        from torchvision.transforms import v2  # here: it takes as long as all other imports, and few models need it
        super().__init__(p=1)
        bilinear = v2.InterpolationMode.BILINEAR  # as R2; nearest gives jagged edges
        self.policy = getattr(v2, name)(interpolation=bilinear, **options)

    def get_params(self) -> dict:
        return {"seed": int(self.random_generator.integers(2**63))}

    def apply(self, img: np.ndarray, seed: int, **_) -> np.ndarray:
        with torch_seeded(seed):
            result = self.policy(torch.tensor(img).permute(2, 0, 1))
        return np.ascontiguousarray(result.permute(1, 2, 0).numpy())


class ResizedCrop(A.ImageOnlyTransform):
    """A part of the crop, resized to its whole: `smallest` to 1 of the area, with 3/4 to 4/3 of the aspect ratio.

    Szegedy et al., "Going Deeper with Convolutions", 2015, section 6, with torchvision's choice of the aspect ratio.
    """

    def __init__(self, smallest: float):
        super().__init__(p=1)
        self.smallest = smallest

    def get_params_dependent_on_data(self, params: dict, data: dict) -> dict:
        height, width = params["shape"][:2]
        area = self.py_random.uniform(self.smallest, 1)
        widest = min(4 / 3, 1 / area)  # beyond it a side would be longer than the crop's
        ratio = math.exp(self.py_random.uniform(-1, 1) * math.log(widest))
        high, wide = max(1, round(math.sqrt(area / ratio) * height)), max(1, round(math.sqrt(area * ratio) * width))
        return {"y": self.py_random.randint(0, height - high), "x": self.py_random.randint(0, width - wide),
                "high": high, "wide": wide}

    def apply(self, img: np.ndarray, y: int, x: int, high: int, wide: int, **_) -> np.ndarray:
        return cv2.resize(img[y:y + high, x:x + wide], img.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def light():
    return [
        A.HorizontalFlip(p=0.5),
        A.Affine(translate_percent=(-0.06, 0.06), scale=(0.92, 1.08), rotate=(-6, 6), p=1,
                 border_mode=cv2.BORDER_REPLICATE, **CUBIC),
        A.RandomBrightnessContrast(brightness_limit=0.15, contrast_limit=0.15, p=0.5),
    ]


def r4_mask():
    return [
        A.OneOf([A.Perspective(p=1, **CUBIC), A.Rotate(**TURN, p=1)], p=0.5),
        A.OneOf([
            A.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0, p=1),
            A.HueSaturationValue(p=1),
            A.RandomBrightnessContrast(brightness_limit=0, contrast_limit=0.2, p=1),
        ], p=0.5),
    ]


def r4_gender():
    return [A.Rotate(**TURN, p=0.5), A.Perspective(p=0.5, **CUBIC), A.GaussNoise(**NOISE, p=0.5)]


def r4_age():
    return [
        A.Rotate(**TURN, p=0.5),
        A.OneOf([A.RandomGridShuffle(grid=(2, 2), p=1), A.Perspective(p=1, **CUBIC)], p=0.5),
        A.GaussNoise(**NOISE, p=0.5),
    ]


def r2_age():
    return flip() + color_jitter()


def r3():
    """R3's final list: its first one without hue shift, with more contrast, and noise."""
    jitter = A.ColorJitter(brightness=0.1, contrast=0.3, saturation=0.1, hue=0, p=1)
    return [*affine(), jitter, *flip(), A.GaussNoise(**R3_NOISE, p=0.5)]


def flip():
    return [A.HorizontalFlip(p=0.5)]


def rotate():
    return [A.Rotate(**TURN, p=0.5)]


def affine():
    """R3's values. Shear along y is set to 0, since albumentations shears it by 1 degree where it is left out."""
    return [A.Affine(rotate=(-10, 10), shear={"x": (-5, 5), "y": 0}, p=1, border_mode=cv2.BORDER_REPLICATE,
                     **CUBIC)]


def perspective():
    return [A.Perspective(p=0.5, **CUBIC)]


def brightness():
    return [A.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0, p=0.5)]


def contrast():
    return [A.RandomBrightnessContrast(brightness_limit=0, contrast_limit=0.2, p=0.5)]


def hue():
    return [A.HueSaturationValue(p=0.5)]


def color_jitter():
    """R2's values; as in torchvision, all four act on every crop, in random order."""
    return [A.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, p=1)]


def noise():
    return [A.GaussNoise(**NOISE, p=0.5)]


def grey():
    """Every crop, at test time too (ALWAYS). List it after noise and erasing, which add colours."""
    return [A.ToGray(p=1)]


def random_grey():
    return [A.ToGray(p=0.1)]


def grid_shuffle():
    """Swaps tiles of equal shape only: none where the crop's height and width are both odd."""
    return [A.RandomGridShuffle(grid=(2, 2), p=0.5)]


def erasing():
    """Random erasing with the paper's values: .02 to .4 of the crop gets random pixels (Zhong et al. 2020).

    albumentations draws only areas that fit at any aspect ratio: up to .3 of a square crop, .23 of a 4:3 one.
    """
    return [A.Erasing(scale=(0.02, 0.4), ratio=(0.3, 1 / 0.3), fill="random", p=0.5)]


def autoaugment():
    """The policy found on ImageNet (Cubuk et al. 2019)."""
    return [Torchvision("AutoAugment")]


def randaugment(magnitude: int = 9):
    """2 operations a crop, of a magnitude from 0 to 30 (Cubuk et al. 2020)."""
    return [Torchvision("RandAugment", magnitude=magnitude)]


def augmix():
    """A mixture of 3 chains of severity 3, without the paper's consistency loss (Hendrycks et al. 2020)."""
    return [Torchvision("AugMix")]


def trivialaugment():
    """1 operation a crop, of any magnitude of the wide space: up to 135 degrees, 32 pixels (Mueller and Hutter 2021)."""
    return [Torchvision("TrivialAugmentWide")]


def resized_crop(smallest: float = 0.5):
    """A random part of the crop, at least this share of its area, resized to the whole."""
    return [ResizedCrop(smallest)]


NAMES = {function.__name__: function for function in (
    light, r4_mask, r4_gender, r4_age, r2_age, r3,
    flip, rotate, affine, perspective, brightness, contrast, hue, color_jitter, noise, grey,
    random_grey, grid_shuffle, erasing, autoaugment, randaugment, augmix, trivialaugment,
    resized_crop,
)}


GEOMETRIC = (A.HorizontalFlip, A.Affine, A.Rotate, A.Perspective, A.RandomGridShuffle, ResizedCrop, Torchvision)


def is_geometric(transform) -> bool:
    """Whether it moves pixels; so do torchvision's policies, among other things."""
    return all(map(is_geometric, transform.transforms)) if isinstance(transform, A.OneOf) else isinstance(transform, GEOMETRIC)


class Augment:
    """Augments crops (H, W, 3) uint8 by each of `names` in turn and resizes them; [] only resizes.

    What moves pixels acts first, on the crop as it was cut. The resize by area then averages most of the blur of its
    interpolation away, so that training crops are as sharp as validation crops. Noise, colours and erasing act on the
    resized crop. A crop with a seed always gives the same bytes, whatever the process and earlier draws.
    """

    def __init__(self, names: list[str], options: dict[str, dict] | None = None):
        """options: arguments of single augmentations by name, such as {"randaugment": {"magnitude": 9}}."""
        transforms = [transform for name in names for transform in NAMES[name](**(options or {}).get(name, {}))]
        self.before = A.Compose([transform for transform in transforms if is_geometric(transform)])
        self.after = A.Compose([transform for transform in transforms if not is_geometric(transform)])

    def __call__(self, crop: np.ndarray, seed: int, size: tuple[int, int] | None = None) -> np.ndarray:
        """size: (height, width) of the result; None: the crop's."""
        rng, random_state = np.random.default_rng(seed), random.Random(seed)
        # One stream for all transforms: after set_random_seed each draws the same, so those with p=0.5 act all or none.
        for part in (self.before, self.after):
            part.set_random_state(rng, random_state)
        moved = resized(self.before(image=crop)["image"], size or crop.shape[:2])
        return self.after(image=moved)["image"]


def resized(crop: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The crop at (height, width) `size`: by area where it shrinks, else linearly."""
    if crop.shape[:2] == tuple(size):
        return crop
    smaller = crop.shape[0] >= size[0]
    return cv2.resize(crop, size[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def at_test(names: list[str]) -> list[str]:
    """The augmentations that also apply at validation and prediction."""
    return [name for name in names if name in ALWAYS]
