"""Drawn bare faces with their poses, for the tests of painting."""
from functools import cache

import numpy as np
import torch

from labeller.faces.detector import detect
from labeller.faces.selection import main_face
from stages.core.params import Detect
from stages.faces.mtcnn import Cascade
from stages.painting.pose import Pose, fit
from stages.synthetic.appearance import draw_look
from stages.synthetic.masks import BARE
from stages.synthetic.render import draw_photo
from tests.sections import SHIPPED


@cache
def drawn_faces(count: int = 3) -> list[tuple[np.ndarray, np.ndarray, Pose]]:
    """Photos (H, W, 3) uint8 of bare faces, their landmarks (5, 2), and their poses."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rng, cascade, p, out = np.random.default_rng(7), Cascade(torch.device("cpu")), Detect(**SHIPPED["detect"]), []
    while len(out) < count:
        photo = draw_photo(draw_look(len(out) % 2, 30, rng), BARE, rng)
        face = main_face(detect([photo], cascade, p)[0][1])
        if face is not None:
            points = face[5:].reshape(5, 2)
            out.append((photo, points, fit(points)))
    torch.set_num_threads(threads)
    return out


def changed(before: np.ndarray, after: np.ndarray, least: int = 12) -> np.ndarray:
    """Which pixels (H, W) of two photos differ by so much."""
    return np.abs(before.astype(int) - after).max(2) >= least


def at(changes: np.ndarray, pose: Pose, x: float, y: float, half: float = 0.06) -> float:
    """The share of changed pixels about a place of the face, in distances of the eyes along its own axes."""
    c, s = np.cos(pose.roll), np.sin(pose.roll)
    cx, cy = pose.shift + pose.scale * np.array([x * c - y * s, x * s + y * c])
    r = max(1, round(half * pose.scale))
    return float(changes[round(cy) - r:round(cy) + r + 1, round(cx) - r:round(cx) + r + 1].mean())
