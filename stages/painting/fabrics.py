"""Fabrics: colours and patterns of a mask, as textures (H, W, 3) float32, 0 to 1, all drawn by code."""
from colorsys import hsv_to_rgb

import cv2
import numpy as np

HEIGHT, WIDTH = 160, 240
SURGICAL = np.array([(0.93, 0.95, 0.97), (0.62, 0.79, 0.90), (0.55, 0.74, 0.86), (0.62, 0.82, 0.78), (0.11, 0.11, 0.12),
                     (0.93, 0.72, 0.78), (0.75, 0.74, 0.85), (0.45, 0.47, 0.50), (0.20, 0.26, 0.42), (0.90, 0.84, 0.72)])
SURGICAL_SHARES = np.array([0.28, 0.2, 0.1, 0.08, 0.14, 0.07, 0.04, 0.04, 0.03, 0.02])
WHITE_SHARE = {"folded": 0.55, "respirator": 0.65}
PATTERNS = ("plain", "stripes", "checks", "dots", "flowers", "camouflage", "letters", "marble")
PATTERN_SHARES = (0.46, 0.1, 0.09, 0.09, 0.08, 0.07, 0.06, 0.05)


def any_colour(rng: np.random.Generator) -> np.ndarray:
    """A colour of cloth: often grey, white or black, else any hue."""
    if rng.random() < 0.4:
        grey = rng.choice([0.09, 0.13, 0.3, 0.5, 0.75, 0.92]) + rng.normal(0, 0.03)
        return np.clip(grey + rng.normal(0, 0.012, 3), 0.06, 0.97)
    return np.array(hsv_to_rgb(rng.random(), rng.uniform(0.15, 0.95), rng.uniform(0.15, 0.95)))


def colour_of(kind: str, rng: np.random.Generator) -> np.ndarray:
    """The main colour of a mask of this kind."""
    if kind == "surgical":
        colour = SURGICAL[rng.choice(len(SURGICAL), p=SURGICAL_SHARES / SURGICAL_SHARES.sum())]
    elif rng.random() < WHITE_SHARE.get(kind, 0.0):
        colour = np.array([0.93, 0.93, 0.92]) * rng.uniform(0.9, 1.02)
    elif kind != "cloth" and rng.random() < 0.5:
        colour = np.full(3, rng.choice([0.1, 0.13, 0.35]))
    else:
        colour = any_colour(rng)
    return np.clip(colour + rng.normal(0, 0.025) + rng.normal(0, 0.01, 3), 0.06, 0.98)


def grid() -> tuple[np.ndarray, np.ndarray]:
    """x and y of each texel, in units of the texture's height."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    return x / HEIGHT, y / HEIGHT


def cloud(rng: np.random.Generator, cells: int) -> np.ndarray:
    """Smooth noise (HEIGHT, WIDTH), about standard normal, with so many bumps from top to bottom."""
    small = rng.standard_normal((cells + 2, cells * WIDTH // HEIGHT + 2)).astype(np.float32)
    big = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return (big - big.mean()) / max(big.std(), 1e-6)


def fabric(kind: str, rng: np.random.Generator) -> np.ndarray:
    """The texture of a mask of this kind: its colour and, of cloth, a pattern; with weave, stains and wear."""
    base = colour_of(kind, rng)
    texture = np.broadcast_to(base.astype(np.float32), (HEIGHT, WIDTH, 3)).copy()
    if kind == "cloth" or (kind != "respirator" and rng.random() < 0.06):
        texture = PAINT[rng.choice(PATTERNS, p=PATTERN_SHARES)](texture, rng)
    weave = cloud(rng, 40) * rng.uniform(0.004, 0.03) + cloud(rng, 6) * rng.uniform(0.003, 0.014)
    return np.clip(texture * (1 + weave)[..., None], 0.02, 1).astype(np.float32)


def blend(texture: np.ndarray, share: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """The texture with a colour over it, where the share (H, W), 0 to 1, is above 0."""
    return texture + (colour.astype(np.float32) - texture) * np.clip(share, 0, 1).astype(np.float32)[..., None]


def plain(texture, rng):
    return texture if rng.random() < 0.7 else blend(texture, grid()[1] * rng.uniform(0.2, 0.9), any_colour(rng))


def stripes(texture, rng):
    x, y = grid()
    for _ in range(rng.integers(1, 3)):
        angle, period, width = rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)]), rng.uniform(0.05, 0.28), rng.uniform(0.2, 0.6)
        phase = ((x * np.cos(angle) + y * np.sin(angle)) / period + rng.random()) % 1
        texture = blend(texture, (phase < width) * rng.uniform(0.5, 1), any_colour(rng))
    return texture


def checks(texture, rng):
    x, y = grid()
    period, angle, colour, share = rng.uniform(0.06, 0.3), rng.choice([0, np.pi / 4]), any_colour(rng), rng.uniform(0.3, 0.7)
    for turned in (x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)):
        texture = blend(texture, ((turned / period) % 1 < rng.uniform(0.2, 0.55)) * share, colour)
    return texture


def dots(texture, rng):
    x, y = grid()
    period, size = rng.uniform(0.07, 0.26), rng.uniform(0.15, 0.38)
    row = np.floor(y / period)
    fx, fy = (x / period + 0.5 * (row % 2)) % 1 - 0.5, (y / period) % 1 - 0.5
    return blend(texture, np.clip((size - np.hypot(fx, fy)) * 12, 0, 1), any_colour(rng))


def flowers(texture, rng):
    colours = [any_colour(rng) for _ in range(rng.integers(1, 4))]
    x, y = grid()
    for _ in range(rng.integers(6, 22)):
        cx, cy, size, turn = rng.uniform(0, WIDTH / HEIGHT), rng.random(), rng.uniform(0.05, 0.16), rng.uniform(0, 7)
        far, angle = np.hypot(x - cx, y - cy) / size, np.arctan2(y - cy, x - cx)
        petals = 0.65 + 0.35 * np.cos(rng.integers(4, 7) * (angle + turn))
        texture = blend(texture, np.clip((petals - far) * 8, 0, 1), colours[rng.integers(len(colours))])
        texture = blend(texture, np.clip((0.25 - far) * 8, 0, 1), np.array([0.9, 0.75, 0.2]))
    return texture


def camouflage(texture, rng):
    base = any_colour(rng)
    for shade in (0.5, 0.8, 1.3):
        texture = blend(texture, np.clip((cloud(rng, int(rng.integers(3, 8))) - 0.35) * 12, 0, 1),
                        np.clip(base * shade + rng.normal(0, 0.04, 3), 0, 1))
    return texture


def letters(texture, rng):
    """Marks like letters or a logo: short strokes in a row, on one cheek or across."""
    marks = np.zeros((HEIGHT, WIDTH), np.float32)
    size = rng.uniform(8, 30)
    x, y = rng.uniform(0.1, 0.55) * WIDTH, rng.uniform(0.25, 0.7) * HEIGHT
    for _ in range(rng.integers(1, 9)):
        points = (np.array([x, y]) + rng.uniform(0, size, (rng.integers(3, 6), 2)) * (0.6, 1)).astype(np.int32)
        cv2.polylines(marks, [points], bool(rng.random() < 0.4), 1.0, int(max(1, size / 7)), cv2.LINE_AA)
        x += 0.85 * size
    return blend(texture, marks, any_colour(rng))


def marble(texture, rng):
    for _ in range(rng.integers(1, 4)):
        texture = blend(texture, 1 / (1 + np.exp(-3 * cloud(rng, int(rng.integers(2, 9))))), any_colour(rng))
    return texture


PAINT = {"plain": plain, "stripes": stripes, "checks": checks, "dots": dots, "flowers": flowers, "camouflage": camouflage,
         "letters": letters, "marble": marble}
