"""What holds a mask: loops from its corners to the ears, straps around the head, or strings."""
import cv2
import numpy as np

from stages.painting.layers import Layer
from stages.painting.pose import Pose
from stages.painting.surface import place, section

COLOURS = ((0.93, 0.93, 0.93), (0.93, 0.93, 0.93), (0.1, 0.1, 0.1), (0.6, 0.6, 0.6))
STEPS = 24


def curve(start: tuple, end: tuple, bow: float) -> np.ndarray:
    """Points (STEPS, 2), angle and y, from start to end over the cheek, bowed down by `bow`."""
    t = np.linspace(0, 1, STEPS)[:, None]
    return np.asarray(start) * (1 - t) + np.asarray(end) * t + (0, 1) * (bow * 4 * t * (1 - t))


def ends_of(corner: np.ndarray, low: bool, strapped: bool, side: int, rng) -> tuple[float, float]:
    """Where the strap from a corner (angle, y) leaves the face."""
    if strapped:
        return side * 1.62, (rng.uniform(0.55, 0.85) if low else rng.uniform(-0.5, -0.1))
    return side * rng.uniform(1.42, 1.56), (rng.uniform(0.5, 0.68) if low else rng.uniform(-0.02, 0.24))


def draw_straps(layer: Layer, corners: dict, pose: Pose, strapped: bool, colour: np.ndarray, skin_like: np.ndarray,
                over: float, rng: np.random.Generator) -> None:
    """Draw a strap from each corner; corners: (side, low) to angle and y. over: pixels of the layer for one of the pose.

    skin_like: (H, W), 0 to 1: a strap is drawn by this share, so that hair hides it.
    """
    width = rng.uniform(0.022, 0.06) * pose.scale * over
    rounds, drawn, edge = rng.uniform(-0.05, 0.10), np.zeros_like(layer.cover), np.zeros_like(layer.cover)
    for (side, low), corner in corners.items():
        path = curve(corner, ends_of(corner, low, strapped, side, rng), rounds * (0.5 if low else 1) + rng.normal(0, 0.015))
        points = place(section(path[:, 0], path[:, 1], lift=0.02), pose)
        facing = np.stack([np.sin(path[:, 0]), 0 * path[:, 0], np.cos(path[:, 0])], 1) @ pose.rotation[2]
        points = points[facing > 0.0]
        if len(points) < 2:
            continue
        for image, share in ((drawn, 1.0), (edge, 0.45)):
            np.maximum(image, stroke(image.shape, points[:, :2] * over, share * width), out=image)
    drawn *= skin_like
    layer.cast(drawn, pose.scale * over * 0.5, 0.35, 0)
    layer.over(colour * (0.78 + 0.22 * edge)[..., None], drawn * 0.95)


def stroke(shape: tuple, points: np.ndarray, width: float) -> np.ndarray:
    """The cover (H, W) of a line (n, 2) so many pixels wide."""
    drawn = np.zeros(shape, np.uint8)
    cv2.polylines(drawn, [np.rint(points * 16).astype(np.int32)], False, 255, max(1, round(width)), cv2.LINE_AA, 4)
    return drawn.astype(np.float32) / 255 * min(1, width)
