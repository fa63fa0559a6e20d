"""Drawing in face coordinates: polygons, lines, ovals, smooth curves and soft shading.

Face coordinates: the unit is half the width of the face, x to the right, y down, (0, 0) between the eyes. Points are
(n, 2) in face coordinates; colours are RGB and clipped to 0 to 255.
"""
import cv2
import numpy as np

NEUTRAL = 200  # the value of a shading layer that changes nothing; lower darkens, higher lightens
SIDES = (-1, 1)  # left and right in the photo: factors of x
MIRROR = np.array((-1, 1))  # times points: mirrored to the other side of the face

ANGLES = np.linspace(0, 2 * np.pi, 32, False)
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1)

STEPS = np.linspace(0, 1, 7)[:-1, None]  # positions between two points of a curve
SPLINE = np.concatenate([-STEPS + 2 * STEPS**2 - STEPS**3, 2 - 5 * STEPS**2 + 3 * STEPS**3,
                         STEPS + 4 * STEPS**2 - 3 * STEPS**3, -STEPS**2 + STEPS**3], 1) / 2


def oval(x: float, y: float, rx: float, ry: float) -> np.ndarray:
    """The outline of an upright ellipse around (x, y), (32, 2)."""
    return CIRCLE * (rx, ry) + (x, y)


def curve(*points) -> np.ndarray:
    """A Catmull-Rom spline through points, (6 * (points - 1) + 1, 2)."""
    p = np.asarray(points, float)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    neighbours = np.stack([p[:-3], p[1:-2], p[2:-1], p[3:]], 1)
    return np.concatenate([(SPLINE @ neighbours).reshape(-1, 2), p[-2:-1]])


def symmetric(half: np.ndarray) -> np.ndarray:
    """A symmetric outline, (2 n, 2), from its right half, (n, 2), top to bottom."""
    return np.concatenate([half, half[::-1] * MIRROR])


class Canvas:
    """A photo, or a smaller layer for it, drawn on in place."""

    def __init__(self, image: np.ndarray, middle, scale: float, tilt: float):
        """image: (H, W, 3) uint8. middle: (x, y) between the eyes, in pixels. scale: pixels per unit. tilt: radians."""
        self.image, self.middle, self.scale, self.tilt = image, np.asarray(middle), scale, tilt
        self.turned = scale * np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])

    def fill(self, points, colour) -> None:
        cv2.fillPoly(self.image, [self._pixels(points)], _rgb(colour), cv2.LINE_AA, 4)

    def line(self, points, colour, width: float, closed: bool = False) -> None:
        pixels = max(1, round(width * self.scale))
        cv2.polylines(self.image, [self._pixels(points)], closed, _rgb(colour), pixels, cv2.LINE_AA, 4)

    def oval(self, x: float, y: float, rx: float, ry: float, colour) -> None:
        self.fill(oval(x, y, rx, ry), colour)

    def layer(self, shrink: int) -> "Canvas":
        """A neutral shading layer, `shrink` times smaller, in the same face coordinates."""
        height, width, _ = self.image.shape
        image = np.full((height // shrink, width // shrink, 3), NEUTRAL, np.uint8)
        return Canvas(image, self.middle / shrink, self.scale / shrink, self.tilt)

    def shade(self, layer: "Canvas", blur: float) -> None:
        """Multiply the photo by a blurred layer, in which NEUTRAL is 1. blur: sigma in pixels of the layer."""
        height, width, _ = self.image.shape
        soft = cv2.resize(cv2.GaussianBlur(layer.image, (0, 0), blur), (width, height))
        cv2.multiply(self.image, soft, self.image, 1 / NEUTRAL)

    def _pixels(self, points) -> np.ndarray:
        """Points in sixteenths of a pixel, as OpenCV takes them."""
        return np.rint((np.asarray(points) @ self.turned + self.middle) * 16).astype(np.int32)


def _rgb(colour) -> tuple:
    return tuple(np.clip(colour, 0, 255).tolist())
