"""Masks of synthetic people: worn over nose, mouth and chin, or incorrectly, below the nose or below the mouth.

Fabric and pattern are independent of the class.
"""
from typing import NamedTuple

import numpy as np

from stages.synthetic.appearance import Look
from stages.synthetic.canvas import SIDES, Canvas, curve

WORN, INCORRECT, BARE = 0, 1, 2  # the contest's codes

FABRICS = np.array([(240, 242, 244), (230, 236, 240), (246, 228, 196), (152, 190, 216), (120, 170, 190),
                    (40, 42, 48), (66, 48, 44), (142, 144, 150), (238, 200, 202), (222, 190, 160),
                    (176, 206, 226), (190, 104, 76), (214, 172, 96), (128, 56, 58), (70, 92, 138)], float)
PATTERNS = {"pleats": 0.5, "seam": 0.25, "dots": 0.12, "stripes": 0.13}  # probability of each


class Fit(NamedTuple):
    """How a mask sits, in face coordinates."""
    top: float          # y of the upper edge, between the cheeks
    peak: float         # how far it rises above that in the middle
    cheek: float        # y of the upper edge at its ends
    cheek_half: float   # half the width there
    chin: float         # y of the lower edge
    chin_half: float    # half the width of the lower edge


def draw_mask(canvas: Canvas, look: Look, mask: int, turn: float, rng: np.random.Generator) -> None:
    """Draw a mask. mask: WORN or INCORRECT. turn: sideways shift of the features."""
    fit = _fit(look, mask, rng)
    upper, lower = _edges(fit, turn)
    fabric = FABRICS[rng.integers(len(FABRICS))] + rng.normal(0, 8, 3)
    _draw_straps(canvas, fit, fabric * 0.5 + 110)
    canvas.fill(np.concatenate([upper, lower[::-1]]), fabric)
    _draw_pattern(canvas, upper, lower, fabric, rng)
    for edge in (upper, lower):
        canvas.line(edge, fabric * 0.7, 0.03)
    _shade_mask(canvas, upper, lower)


def _fit(look, mask, rng) -> Fit:
    chin = look.chin + rng.uniform(0.02, 0.1)
    if mask == WORN:
        top = rng.uniform(0.22, 0.46)
    else:  # below the nose, or below the mouth
        top = rng.uniform(0.71, 0.82) if rng.random() < 0.65 else rng.uniform(1.1, 1.2)
    cheek = top + (rng.uniform(0.06, 0.2) if top < 1 else rng.uniform(-0.05, 0.03))
    cheek = min(cheek, look.chin - 0.3)
    return Fit(
        top=top,
        peak=rng.uniform(0.02, 0.12) if top < 0.5 else rng.uniform(-0.02, 0.03),
        cheek=cheek,
        cheek_half=np.interp(cheek, (0, 0.6, look.chin), (0.99, 0.97, 0.62)),
        chin=chin,
        chin_half=np.interp(chin - 0.3, (0, 0.6, look.chin), (0.99, 0.96, 0.6)),
    )


def _edges(fit, turn) -> tuple[np.ndarray, np.ndarray]:
    """The upper and the lower edge from left to right, (25, 2) each."""
    slope = (fit.top + fit.cheek) / 2 + 0.02
    upper = curve((-fit.cheek_half, fit.cheek), (-0.45 + turn, slope), (turn, fit.top - fit.peak),
                  (0.45 + turn, slope), (fit.cheek_half, fit.cheek))
    lower = curve((fit.chin_half, fit.chin - 0.3), (0.35, fit.chin), (0, fit.chin + 0.03),
                  (-0.35, fit.chin), (-fit.chin_half, fit.chin - 0.3))
    return upper, lower[::-1]


def _draw_straps(canvas, fit, colour) -> None:
    for side in SIDES:
        above = curve((side * fit.cheek_half, fit.cheek + 0.03), (side * 1.03, 0.2), (side * 1.08, 0.0))
        below = curve((side * fit.chin_half, fit.chin - 0.32), (side * 1.0, 0.7), (side * 1.08, 0.3))
        canvas.line(above, colour, 0.025)
        canvas.line(below, colour, 0.025)


def _between(upper, lower, share) -> np.ndarray:
    """A line across the mask, (25, 2), with point 12 in the middle. share: 0 is the upper edge, 1 the lower."""
    return upper * (1 - share) + lower * share


def _draw_pattern(canvas, upper, lower, fabric, rng) -> None:
    kind = rng.choice(list(PATTERNS), p=tuple(PATTERNS.values()))
    if kind == "pleats":
        for share in (0.3, 0.52, 0.74):
            canvas.line(_between(upper, lower, share), fabric * 0.74, 0.03)
    elif kind == "seam":
        canvas.line([_between(upper, lower, share)[12] for share in (0, 0.25, 0.5, 0.75, 1)], fabric * 0.8, 0.03)
    elif kind == "dots":
        colour = np.clip(fabric * rng.uniform(0.6, 0.8) + rng.uniform(-30, 60, 3), 0, 255)
        for row, share in enumerate(np.linspace(0.15, 0.85, 5)):
            for x, y in _between(upper, lower, share)[2 + row % 2 * 2:24:4]:
                canvas.oval(x, y, 0.035, 0.035, colour)
    else:
        colour = fabric * 0.6 + rng.uniform(20, 100, 3)
        for share in np.linspace(0.12, 0.9, 6):
            canvas.line(_between(upper, lower, share), colour, 0.05)


def _shade_mask(canvas, upper, lower) -> None:
    """Shadow on both sides of the chin, light on the nose bridge."""
    layer = canvas.layer(4)
    cheeks, chin = _between(upper, lower, 0.62), _between(upper, lower, 0.98)
    layer.fill(np.concatenate([cheeks[:13], chin[12::-1]]), (176, 178, 182))
    layer.fill(np.concatenate([cheeks[12:], chin[:11:-1]]), (180, 182, 186))
    layer.oval(*_between(upper, lower, 0.3)[12], 0.25, 0.12, (214, 214, 214))
    canvas.shade(layer, 4)
