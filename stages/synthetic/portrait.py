"""Portrait of a synthetic person down to the shoulders: body, head, nose, mouth, eyes, glasses, with skin and hair.

turn: sideways shift of the features as the head turns, in face coordinates (stages/synthetic/canvas.py).
"""
import numpy as np

from stages.synthetic.appearance import Look
from stages.synthetic.canvas import MIRROR, SIDES, Canvas, curve, oval, symmetric
from stages.synthetic.hair import draw_hair_behind, draw_hair_front
from stages.synthetic.skin import draw_wrinkles, face_outline, shade_face

WINGED = 0.045  # thicker lashes extend beyond the eye
FRAME = (52, 46, 46)  # colour of the glasses


def draw_portrait(canvas: Canvas, look: Look, turn: float, smile: float, gaze: float) -> None:
    """Draw a person. smile: -0.3 to 1, with teeth above 0.6. gaze: sideways shift of the irises."""
    details = np.random.default_rng(look.seed)
    draw_hair_behind(canvas, look, details)
    _draw_body(canvas, look)
    _draw_head(canvas, look)
    shade_face(canvas, look, turn)
    draw_wrinkles(canvas, look, turn, details)
    _draw_nose(canvas, look, turn)
    _draw_mouth(canvas, look, turn, smile)
    for side in SIDES:
        _draw_eye(canvas, look, side * 0.42 + turn, side, gaze)
        _draw_brow(canvas, look, side * 0.42 + turn, side)
    draw_hair_front(canvas, look, details)
    if look.glasses:
        _draw_glasses(canvas, turn)


def _draw_body(canvas, look) -> None:
    neck = 0.62 if look.jaw > 2.35 else 0.55
    throat = curve((neck, 0.9), (neck, 1.5), (neck + 0.08, 1.85), (1.2, 2.15))
    canvas.fill(symmetric(throat), look.skin * 0.8)
    shoulder = curve((0, 2.3), (0.45, 2.12), (neck + 0.1, 1.8), (1.3, 2.05), (2.1, 2.5), (2.4, 4.5))
    canvas.fill(symmetric(shoulder), look.cloth)
    collar = shoulder[:13]
    canvas.line(np.concatenate([collar[::-1] * MIRROR, collar]), look.cloth * 0.7, 0.05)


def _draw_head(canvas, look) -> None:
    """Ears and face."""
    for side in SIDES:
        canvas.oval(side * 1.02, 0.18, 0.13, 0.28, look.skin * 0.9)
        canvas.oval(side * 1.03, 0.18, 0.06, 0.17, look.skin * 0.74)
        if look.earrings:
            canvas.oval(side * 1.06, 0.5, 0.045, 0.06, (236, 214, 140))
    canvas.oval(0, -0.25, 0.97, 0.97, look.skin)
    canvas.fill(face_outline(look), look.skin)


def _draw_nose(canvas, look, turn) -> None:
    half = look.nose
    for side in SIDES:
        wing = curve((half * 0.75, 0.46), (half, 0.58), (half * 0.7, 0.65)) * (side, 1) + (turn, 0)
        canvas.line(wing, look.skin * (0.76, 0.68, 0.64), 0.03)
        canvas.oval(side * half * 0.48 + turn, 0.64, 0.07, 0.04, look.skin * (0.5, 0.38, 0.36))
    tip = curve((-half * 0.3, 0.66), (0, 0.69), (half * 0.3, 0.66)) + (turn, 0)
    canvas.line(tip, look.skin * 0.7, 0.025)


def _draw_mouth(canvas, look, turn, smile) -> None:
    half, lip = look.mouth + 0.05 * smile, look.lip
    lift, middle = 0.06 * smile, (turn, 0.98)
    left, right = (-half, -lift), (half, -lift)
    seam = middle + curve(left, (-half / 2, 0.01), (0, 0.02), (half / 2, 0.01), right)
    upper = middle + curve(right, (half * 0.2, -lip), (0, -lip * 0.75), (-half * 0.2, -lip), left)
    lower = middle + curve(right, (half * 0.45, lip * 1.05), (0, lip * 1.35), (-half * 0.45, lip * 1.05), left)
    canvas.fill(np.concatenate([seam, upper]), look.lips * 0.92)
    canvas.fill(np.concatenate([seam, lower]), look.lips * 1.04)
    if smile > 0.6:
        teeth = middle + curve((half * 0.7, -lift * 0.5), (0, 0.09 * smile), (-half * 0.7, -lift * 0.5))
        canvas.fill(np.concatenate([seam[4:-4], teeth]), (238, 234, 226))
    canvas.line(seam, look.lips * 0.45, 0.03)


def _draw_eye(canvas, look, x, side, gaze) -> None:
    """x: of the middle of the eye. side: -1 left, 1 right."""
    middle, half = look.droop / 2, 0.2
    inner, outer = (x - side * half, 0.02), (x + side * half, look.droop)
    upper = curve(inner, (x - side * 0.06, middle - look.eye * 0.72), (x + side * 0.1, middle - look.eye * 0.6), outer)
    lower = curve(outer, (x + side * 0.06, middle + look.eye * 0.5), inner)
    canvas.fill(np.concatenate([upper, lower]), (240, 236, 232))
    for radius, colour in ((0.105, look.iris), (0.05, (14, 12, 12))):  # iris and pupil, clipped by the lids
        ball = oval(x + gaze, middle - 0.01, radius, radius)
        ball[:, 1] = np.clip(ball[:, 1], middle - look.eye * 0.7, middle + look.eye * 0.45)
        canvas.fill(ball, colour)
    canvas.oval(x + gaze + 0.035, middle - 0.035, 0.02, 0.02, (250, 250, 250))
    canvas.line(upper, look.skin * 0.18, look.lashes)
    if look.lashes > WINGED:
        canvas.line([outer, (outer[0] + side * 0.11, outer[1] - 0.08)], look.skin * 0.18, look.lashes * 0.7)
    canvas.line(lower, look.skin * 0.6, 0.015)
    canvas.line(upper - (0, 0.06 + look.droop * 0.2), look.skin * (0.72, 0.64, 0.6), 0.02)


def _draw_brow(canvas, look, x, side) -> None:
    """Thin brows are dark and thick ones pale, so that the mean colour around the eyes does not separate them."""
    arch, thick = look.brow_arch, look.brow
    top = curve((-0.24, 0), (0.05, -arch - thick * 0.4), (0.3, 0.03))
    bottom = curve((0.3, 0.05), (0.05, -arch + thick * 0.6), (-0.25, thick))
    brow = np.concatenate([top, bottom]) * (side, 1) + (x, -0.27 + look.droop * 0.4)
    share = np.clip(0.07 / thick, 0.45, 1)
    canvas.fill(brow, look.brows * share + look.skin * (0.85 - share))


def _draw_glasses(canvas, turn) -> None:
    for side in SIDES:
        canvas.line(oval(side * 0.43 + turn, 0.02, 0.31, 0.25), FRAME, 0.025, closed=True)
        canvas.line([(side * 0.74 + turn, -0.02), (side * 1.0, 0.0)], FRAME, 0.025)
    canvas.line(curve((-0.12 + turn, 0.0), (turn, -0.04), (0.12 + turn, 0.0)), FRAME, 0.025)
