"""What becomes of each photo of the source, and which masks are painted on a bare one."""
import hashlib

import numpy as np
import pandas as pd

from stages.painting.distractors import NAMES
from stages.painting.pose import Pose
from stages.painting.sheets import KINDS
from stages.painting.surface import place

KIND_SHARES = (0.42, 0.24, 0.24, 0.10)  # of KINDS
INCORRECT = ("under_nose", "on_chin", "hanging")
INCORRECT_SHARES = (0.5, 0.36, 0.14)


def rng_of(seed: int, photo: str) -> np.random.Generator:
    """The random numbers of one photo, whatever is drawn of the others."""
    digest = hashlib.sha256(photo.encode(errors="surrogateescape")).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


def to_paint(rows: pd.DataFrame) -> tuple[pd.Series, bool]:
    """Which rows of stages/readers are painted, and whether that is since no photo has a label of mask.

    Of the part to train on the bare ones; those without a label only where no photo of the source has one.
    """
    train = rows.part == "train"
    unlabelled = not (rows["mask"][train] != "").any()
    return train & ((rows["mask"] == "bare") | (unlabelled & (rows["mask"] == ""))), unlabelled


def in_view(wearing: str, pose: Pose, shape: tuple) -> str:
    """How a mask can be worn so that this photo shows it: a tight crop cuts off what hangs at the ear or lies on the chin."""
    height, width = shape[:2]
    places = {"hanging": [(-1.1, 1.2, -0.3), (1.1, 1.2, -0.3)], "on_chin": [(0, 1.55, 0.1), (0, 1.75, 0)]}.get(wearing, [])
    seen = [0 <= x < width and 0 <= y < height for x, y, _ in place(np.array(places).reshape(-1, 3), pose)]
    if all(seen):
        return wearing
    return in_view("on_chin", pose, shape) if wearing == "hanging" else "under_nose"


def paintings(photo: str, p, seed: int) -> list[tuple]:
    """What is made of one bare photo: mask, wearing and kind of each. p: worn, incorrect, bare, distractors of params.yaml."""
    rng = rng_of(seed, photo)
    worn = [("worn", "well") for _ in range(p.worn)]
    wrong = [("incorrect", str(rng.choice(INCORRECT, p=INCORRECT_SHARES))) for _ in range(p.incorrect)]
    masked = [(mask, wearing, str(rng.choice(KINDS, p=KIND_SHARES))) for mask, wearing in worn + wrong]
    bare = [("bare", str(rng.choice(NAMES)) if rng.random() < p.distractors else "none", "") for _ in range(p.bare)]
    return masked + bare
