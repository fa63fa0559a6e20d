"""The appearance of a synthetic person, the same in all photos, drawn at random given gender and age.

No single trait reveals gender or age: their distributions overlap, and only several traits together decide. Skin, light,
background and clothes are independent of the class.

All traits come from one random stream, so that reordering the draws gives other people.
"""
from dataclasses import dataclass

import numpy as np

SKINS = np.array([(246, 216, 194), (234, 196, 166), (222, 180, 146), (206, 160, 126), (178, 132, 100)], float)
HAIRS = np.array([(34, 28, 28), (46, 34, 30), (66, 46, 36), (92, 64, 46), (124, 88, 58), (168, 132, 92)], float)
DARK = 3  # number of dark HAIRS, the first ones
GREY = np.array((198, 196, 194), float)
AGEING = (18, 28, 32, 57, 62, 75), (0, 0.04, 0.34, 0.56, 0.9, 1)  # years, and how aged a person looks then, 0 to 1


@dataclass(frozen=True)
class Look:
    """A person. Colours: RGB, 0 to 255; lengths: face coordinates (stages/synthetic/canvas.py)."""
    skin: np.ndarray
    hair: np.ndarray
    brows: np.ndarray
    lips: np.ndarray
    iris: np.ndarray
    cloth: np.ndarray
    chin: float         # y of the chin
    jaw: float          # 2 is an oval, 3 a square jaw
    length: float       # y where the hair ends
    volume: float       # how far the hair stands off the head
    hairline: float     # y of the hairline in the middle
    recess: float       # how far the hairline recedes at the temples
    parting: float      # x of the parting
    fringe: float       # y where the fringe ends; 0 without one
    brow: float         # thickness of the brows
    brow_arch: float    # height of the brows' arch
    eye: float          # how far the eyes open
    droop: float        # how far the outer corner of the eye hangs
    lashes: float       # thickness of the upper lid's line
    nose: float         # half the width of the nose
    mouth: float        # half the width of the mouth
    lip: float          # thickness of the lips
    stubble: float      # 0 to 1
    forehead: tuple     # strength of each forehead line, 0 to 1
    crow: float         # strength of the lines beside the eyes, 0 to 1
    bags: float         # strength of the bags under the eyes, 0 to 1
    folds: float        # strength of the folds from nose to mouth, 0 to 1
    spots: int          # age spots, or freckles
    glasses: bool
    earrings: bool
    seed: int           # of details: strands, spots


@dataclass(frozen=True)
class Dice:
    """Random draws of a person's traits. aged: 0 to 1, from the youngest look to the oldest."""
    woman: bool
    aged: float
    rng: np.random.Generator

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def near(self, mean: float, spread: float, low: float, high: float) -> float:
        return float(np.clip(self.rng.normal(mean, spread), low, high))

    def wrinkle(self, start: float, slope: float) -> float:
        """Strength of a wrinkle, 0 to 1: grows with `aged` from `start` on, with variation between people."""
        return self.near((self.aged - start) * slope, 0.06, 0, 1)

    def mix(self, colours: np.ndarray) -> np.ndarray:
        """A random colour interpolated between two neighbours of colours (n, 3)."""
        place = self.rng.uniform(0, len(colours) - 1)
        low = int(place)
        return colours[low] + (colours[low + 1] - colours[low]) * (place - low)


def draw_look(gender: int, age: float, rng: np.random.Generator) -> Look:
    """Draw a person at random. gender: 0 male, 1 female. age: years, about 18 to 75."""
    dice = Dice(gender == 1, np.interp(age, *AGEING), rng)
    skin = dice.mix(SKINS) + rng.normal(0, 4, 3)
    hair, brows = draw_hair_colours(dice)
    long_hair = dice.chance(0.6 if dice.woman else 0.28)
    make_up = dice.near(1.4 if dice.woman else 0.2, 0.5, 0, 2.5)
    lines = int(np.clip(np.rint(rng.normal(0.2 + 3.2 * dice.aged, 0.4)), 0, 3))
    return Look(
        skin=skin, hair=hair, brows=brows,
        lips=skin * (0.86, 0.66, 0.66) + np.array((8, -22, -12)) * make_up,
        iris=np.array((70, 48, 36)) * rng.uniform(0.5, 1.3),
        cloth=rng.uniform(40, 220) + rng.normal(0, 22, 3),
        **draw_jaw(dice), **draw_haircut(dice, long_hair), **draw_eye_traits(dice), **draw_mouth_traits(dice),
        **draw_ageing(dice, lines),
        glasses=dice.chance(0.1),
        earrings=dice.chance(0.4 if dice.woman else 0.04),
        seed=int(rng.integers(2**32)),
    )


def draw_hair_colours(dice: Dice) -> tuple[np.ndarray, np.ndarray]:
    """Colours of hair and brows; brows turn grey less."""
    dyed = dice.chance(0.6)
    hair = dice.mix(HAIRS[:DARK] if dice.chance(0.6) else HAIRS)
    grey = 0 if dyed else dice.near((dice.aged - 0.4) * 1.1, 0.3, 0, 0.95)
    return hair + (GREY - hair) * grey, hair * 0.8 + (GREY * 0.75 - hair * 0.8) * grey * 0.6


def draw_jaw(dice: Dice) -> dict:
    return {"chin": dice.near(1.46 if dice.woman else 1.54, 0.06, 1.32, 1.68),
            "jaw": dice.near(2.15 if dice.woman else 2.55, 0.2, 1.9, 3.1)}


def draw_haircut(dice: Dice, long_hair: bool) -> dict:
    return {"length": dice.near(1.7, 0.5, 1.0, 3.0) if long_hair else dice.near(0.35, 0.15, 0.05, 0.7),
            "volume": dice.near(0.17, 0.06, 0.04, 0.36),
            "hairline": dice.near(-0.78 - (0.0 if dice.woman else 0.16) * dice.aged, 0.07, -1.1, -0.6),
            "recess": dice.near(0.08 if dice.woman else 0.1 + 0.25 * dice.aged, 0.1, 0, 0.5),
            "parting": dice.near(0, 0.35, -0.6, 0.6),
            "fringe": dice.near(-0.42, 0.07, -0.6, -0.3) if dice.chance(0.3 - 0.15 * dice.aged) else 0.0}


def draw_eye_traits(dice: Dice) -> dict:
    return {"brow": dice.near(0.072 if dice.woman else 0.135, 0.018, 0.045, 0.19),
            "brow_arch": dice.near(0.09 if dice.woman else 0.045, 0.03, 0, 0.16),
            "eye": dice.near(0.135 - 0.045 * dice.aged, 0.014, 0.07, 0.16),
            "droop": dice.near(-0.04 + 0.09 * dice.aged, 0.025, -0.1, 0.1),
            "lashes": dice.near(0.068 if dice.woman else 0.028, 0.012, 0.015, 0.1)}


def draw_mouth_traits(dice: Dice) -> dict:
    """Nose, mouth and beard."""
    return {"nose": dice.near(0.22 if dice.woman else 0.25, 0.025, 0.17, 0.32),
            "mouth": dice.near(0.4, 0.035, 0.32, 0.5),
            "lip": dice.near((0.125 if dice.woman else 0.105) - 0.03 * dice.aged, 0.016, 0.05, 0.16),
            "stubble": 0.0 if dice.woman or dice.chance(0.35) else dice.near(0.5, 0.25, 0.1, 1)}


def draw_ageing(dice: Dice, lines: int) -> dict:
    """Wrinkles and spots. lines: number of forehead lines."""
    return {"forehead": tuple(dice.wrinkle(0.12, 1.25) for _ in range(lines)),
            "crow": dice.wrinkle(0.15, 1.3),
            "bags": dice.wrinkle(0.1, 1.2),
            "folds": dice.wrinkle(0.08, 1.2),
            "spots": int(dice.rng.poisson(16 * max(0.05, dice.aged - 0.6)))}
