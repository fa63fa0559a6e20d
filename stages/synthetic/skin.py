"""Skin of a synthetic face: outline, light and shadow, beard, wrinkles and spots.

All but the outline is soft shading, since skin has no hard edges. Wrinkles have light beside the dark, so that the mean
colour of a region reveals little about age: a network must learn shapes.

turn: sideways shift of the features as the head turns, in face coordinates.
"""
import numpy as np

from stages.synthetic.appearance import Look
from stages.synthetic.canvas import CIRCLE, NEUTRAL, SIDES, Canvas, curve

FAINT = 0.03  # wrinkles up to this strength are not drawn


def face_outline(look: Look) -> np.ndarray:
    """The outline of the face, (32, 2): two half superellipses, one above the cheeks and one below."""
    cos, sin = CIRCLE.T
    below = sin > 0
    bulge = 2 / np.where(below, look.jaw, 2.4)
    x = np.sign(cos) * np.abs(cos) ** bulge
    y = np.abs(sin) ** bulge * np.where(below, look.chin - 0.1, -1.26)
    return np.stack([x, y + 0.1], 1)


def shade_face(canvas: Canvas, look: Look, turn: float) -> None:
    """Draw light and shadow of the whole face, and the beard."""
    layer, outline = canvas.layer(4), face_outline(look)
    layer.oval(0, look.chin + 0.15, 0.6, 0.22, (150, 140, 136))  # the throat
    if look.stubble:
        beard = outline[outline[:, 1] > 0.25] * 0.97
        below_nose = [(-0.55, 0.75), (-0.3, 0.78), (0, 0.8), (0.3, 0.78), (0.55, 0.75)]
        layer.fill(np.concatenate([beard, below_nose]), NEUTRAL - look.stubble * np.array((72, 64, 56)))
    layer.line(outline, (172, 166, 162), 0.16, closed=True)
    for side in SIDES:
        layer.oval(side * 0.43 + turn, -0.05, 0.3, 0.17, (182, 174, 172))  # the socket of the eye
        layer.oval(side * 0.56 + turn, 0.5, 0.24, 0.18, (218, 202, 200))   # the cheek
        layer.oval(side * 0.13 + turn, 0.4, 0.05, 0.28, (184, 178, 174))   # beside the nose
    layer.oval(turn, 0.25, 0.07, 0.4, (222, 222, 222))  # the ridge of the nose
    layer.oval(turn, -0.55, 0.5, 0.2, (214, 213, 212))  # the forehead
    layer.oval(turn, look.chin - 0.2, 0.2, 0.1, (212, 210, 208))
    canvas.shade(layer, 5)


def draw_wrinkles(canvas: Canvas, look: Look, turn: float, details: np.random.Generator) -> None:
    """Draw wrinkles and spots."""
    layer = canvas.layer(2)
    _crease_forehead(layer, look, turn, details)
    for side in SIDES:
        _crease_side(layer, look, turn, side)
    for side in SIDES:
        _crease(layer, [(side * 0.07 + turn, -0.24), (side * 0.05 + turn, -0.08)], look.crow - 0.25, 0.03)
    for x, y in details.uniform((-0.85, -0.7), (0.85, 0.9), (look.spots, 2)):
        if abs(x) > 0.5 or y < -0.45:  # clear of eyes, nose and mouth
            layer.oval(x, y, 0.05, 0.04, (150, 132, 122))
    canvas.shade(layer, 0.8)


def _crease_forehead(layer, look, turn, details) -> None:
    for n, strength in enumerate(look.forehead):
        y, half = -0.45 - 0.14 * n, 0.52 - 0.05 * n + details.uniform(-0.08, 0.08)
        dip = details.uniform(-0.01, 0.03)
        wave = curve((-half, 0.03), (-half / 2, -0.02), (0, dip), (half / 2, -0.02), (half, 0.03))
        _crease(layer, wave + (turn, y), strength, 0.06)


def _crease_side(layer, look, turn, side) -> None:
    """Crow's feet, the bag under the eye, the fold from nose to mouth, the jowl."""
    x = side * 0.42 + turn
    for slope in (-0.13, -0.02, 0.1):
        _crease(layer, [(x + side * 0.27, slope * 0.4), (x + side * 0.46, slope * 1.4)], look.crow, 0.05)
    _crease(layer, curve((x - side * 0.2, 0.13), (x, 0.23), (x + side * 0.22, 0.13)), look.bags, 0.07)
    fold = curve((0.25, 0.58), (0.45, 0.82), (0.5, 1.08)) * (side, 1) + (turn, 0)
    _crease(layer, fold, look.folds, 0.06)
    jowl = curve((0.62, look.chin - 0.42), (0.58, look.chin - 0.2)) * (side, 1)
    _crease(layer, jowl, look.folds * 0.8 - 0.35, 0.07)


def _crease(layer, points, strength, width) -> None:
    """A dark line between two light ones."""
    if strength <= FAINT:
        return
    points = np.asarray(points)
    for offset in (-0.8, 0.8):
        layer.line(points + (0, offset * width), NEUTRAL + strength * np.array((50, 48, 46)), width)
    layer.line(points, NEUTRAL - strength * np.array((104, 120, 126)), width)
