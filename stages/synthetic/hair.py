"""Hair of a synthetic person, behind and in front of the head.

details: the person's own random generator, with the same draws in each photo.
"""
import numpy as np

from stages.synthetic.appearance import Look
from stages.synthetic.canvas import SIDES, Canvas, curve, symmetric

SHORT = 0.8  # hair that ends above this y is not visible behind the head


def draw_hair_behind(canvas: Canvas, look: Look, details: np.random.Generator) -> None:
    if look.length <= SHORT:
        return
    outer, end, flare = 1.08 + look.volume, look.length, details.uniform(-0.1, 0.25)
    half = curve((0, -1.2), (outer * 0.75, -0.9), (outer, 0), (outer + flare, end * 0.6),
                 (outer, end * 0.9), (outer * 0.6, end), (0, end))
    canvas.fill(symmetric(half), look.hair * 0.72)
    for x in details.uniform(0.6, outer, 10):
        for side in SIDES:
            lock = curve((x, 0), (x + flare * 0.7, end * 0.6), (x * 0.9, end * 0.93)) * (side, 1)
            canvas.line(lock, look.hair * details.uniform(0.6, 0.95), 0.025)


def draw_hair_front(canvas: Canvas, look: Look, details: np.random.Generator) -> None:
    """Draw a cap between skull and hairline, a fringe, and strands."""
    skull, hairline = _outline_skull(look), _outline_hairline(look)
    canvas.fill(np.concatenate([skull, hairline[::-1]]), look.hair)
    if look.fringe:
        _draw_fringe(canvas, look, hairline[12:25], details)
    shine = details.uniform(0.1, 0.9)  # where the light falls: 0 at the hairline, 1 at the skull
    for share in details.uniform(0.02, 0.98, 16):
        tone = 0.78 + 0.5 * np.exp(-((share - shine) / 0.15) ** 2) + details.uniform(-0.1, 0.15)
        start, stop = sorted(details.integers(0, len(skull), 2))
        strand = (skull * share + hairline * (1 - share))[start:stop + 4]
        canvas.line(strand, look.hair * tone, 0.022)


def _outline_skull(look) -> np.ndarray:
    """The outer edge of the cap from left to right, (37, 2)."""
    outer, top, end = 1.04 + look.volume * 0.8, -1.24 - look.volume, _cap_end(look)
    return curve((-1, end), (-outer, -0.25), (-outer * 0.74, top * 0.76), (look.parting * 0.2, top),
                 (outer * 0.74, top * 0.76), (outer, -0.25), (1, end))


def _outline_hairline(look) -> np.ndarray:
    """The inner edge of the cap from left to right, (37, 2); 12 to 24 run from temple to temple."""
    temple, end = max(look.hairline + 0.22 - look.recess, -0.88), _cap_end(look)
    return curve((-1, end), (-0.93, -0.25), (-0.7, temple), (look.parting, look.hairline),
                 (0.7, temple), (0.93, -0.25), (1, end))


def _cap_end(look) -> float:
    """y where the cap ends; longer hair falls behind the shoulders."""
    return min(look.length, 1.3)


def _draw_fringe(canvas, look, temples, details) -> None:
    """temples: the hairline from temple to temple, (13, 2)."""
    x = np.linspace(-0.85, 0.85, 13)
    zigzag = np.where(np.arange(13) % 2, 0, 0.1)
    tips = look.fringe - zigzag + details.normal(0, 0.02, 13) + 0.12 * x**2
    canvas.fill(np.concatenate([temples, np.stack([x, tips], 1)[::-1]]), look.hair * 0.95)
