"""Augmentations by name, each a list of albumentations' transforms. To add one, add a function and its name.

r4_* are the lists of reference system R4 with its values, written for albumentations 2: brightness and contrast alone
are RandomBrightnessContrast with the other limit 0, and noise has R4's variance of 10 to 50 in units of 0 to 255.
"""
import os

import numpy as np

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer version
import albumentations as A
import cv2

NOISE = {"std_range": (10**0.5 / 255, 50**0.5 / 255)}


def light():
    return [
        A.HorizontalFlip(p=0.5),
        A.Affine(translate_percent=(-0.06, 0.06), scale=(0.92, 1.08), rotate=(-6, 6), p=1, border_mode=cv2.BORDER_REPLICATE),
        A.RandomBrightnessContrast(brightness_limit=0.15, contrast_limit=0.15, p=0.5),
    ]


def r4_mask():
    return [
        A.OneOf([A.Perspective(p=1), A.Rotate(limit=20, p=1)], p=0.5),
        A.OneOf([
            A.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0, p=1),
            A.HueSaturationValue(p=1),
            A.RandomBrightnessContrast(brightness_limit=0, contrast_limit=0.2, p=1),
        ], p=0.5),
    ]


def r4_gender():
    return [A.Rotate(limit=20, p=0.5), A.Perspective(p=0.5), A.GaussNoise(**NOISE, p=0.5)]


def r4_age():
    return [
        A.Rotate(limit=20, p=0.5),
        A.OneOf([A.RandomGridShuffle(grid=(2, 2), p=1), A.Perspective(p=1)], p=0.5),
        A.GaussNoise(**NOISE, p=0.5),
    ]


LISTS = {"none": list, "light": light, "r4_mask": r4_mask, "r4_gender": r4_gender, "r4_age": r4_age}


class Augment:
    """Augments crops (H, W, 3) uint8; the same crop with the same seed gives the same bytes, in whatever process."""

    def __init__(self, name: str):
        self.transform = A.Compose(LISTS[name]())

    def __call__(self, crop: np.ndarray, seed: int) -> np.ndarray:
        self.transform.set_random_seed(seed)
        return self.transform(image=crop)["image"]
