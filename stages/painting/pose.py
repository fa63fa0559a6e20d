"""How a head is turned: weak perspective, fitted to the five landmarks.

Head coordinates: the middle between the eyes is the origin and their distance 1; x to the right of the photo, y down, z towards
the viewer. The five landmarks do not tell a turned head from an odd face, so faces are held near the average one: Gauss-Newton
over the pose and four lengths of the face, each with a standard deviation of its own (a maximum a posteriori estimate).
"""
from typing import NamedTuple

import numpy as np

# log of the scale, roll, yaw, pitch (radians), shift in x and y; y and half the width of the mouth; y and z of the nose's tip
MEAN = np.array([0, 0, 0, 0, 0, 0, 1.03, 0.43, 0.64, 0.45])
SPREAD = np.array([1e3, 1e3, 0.6, 0.22, 1e3, 1e3, 0.09, 0.05, 0.07, 0.06])
POINT_ERROR = 0.04  # of a landmark, in distances of the eyes
STEPS = 12
MOUTH_Z = 0.03


class Pose(NamedTuple):
    """A fitted head. `rotation` (3, 3) turns head coordinates to the camera's; scale: pixels of the photo for a length of 1."""
    rotation: np.ndarray
    scale: float
    shift: np.ndarray   # (2,): where the origin lies in the photo, in pixels
    yaw: float          # radians; positive: the nose points to the right of the photo
    pitch: float        # radians; positive: down
    roll: float         # radians; positive: clockwise
    mouth: float        # y of the corners of the mouth
    nose: float         # y of the tip of the nose
    error: float        # root mean square of the landmarks' distances from the fit, in distances of the eyes

    def to_photo(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) in head coordinates to x and y in pixels of the photo, and z towards the viewer, in the head's unit."""
        turned = points @ self.rotation.T
        return np.concatenate([turned[..., :2] * self.scale + self.shift, turned[..., 2:]], -1)


def rotation(roll: float, yaw: float, pitch: float) -> np.ndarray:
    """Turn by the pitch around x, then by the yaw around y, then by the roll around z."""
    (a, b), (c, d), (e, f) = ((np.cos(angle), np.sin(angle)) for angle in (pitch, yaw, roll))
    around_x = np.array([[1, 0, 0], [0, a, b], [0, -b, a]])
    around_y = np.array([[c, 0, d], [0, 1, 0], [-d, 0, c]])
    return np.array([[e, -f, 0], [f, e, 0], [0, 0, 1]]) @ around_y @ around_x


def landmarks(values: np.ndarray) -> np.ndarray:
    """Where the five landmarks of a head with these values (10,) are seen, (10,): x and y of each, in pixels."""
    scale, roll, yaw, pitch, x, y, mouth, half, nose, tip = values
    head = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, nose, tip], [-half, mouth, MOUTH_Z], [half, mouth, MOUTH_Z]])
    return ((head @ rotation(roll, yaw, pitch).T)[:, :2] * np.exp(scale) + (x, y)).ravel()


def fit(points: np.ndarray) -> Pose:
    """The pose of a head whose five landmarks (5, 2) are seen at these pixels, in the detector's order."""
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    down = mouth - eyes
    scale = max(np.linalg.norm(points[1] - points[0]), np.linalg.norm(down) / 1.1, 1.0)
    values = MEAN.copy()
    values[[0, 1, 4, 5]] = np.log(scale), np.arctan2(-down[0], down[1]), *eyes
    weights = np.full(10, 1 / (POINT_ERROR * scale))
    for _ in range(STEPS):
        seen = landmarks(values)
        steps = np.where(np.isin(np.arange(10), (4, 5)), 1e-3 * scale, 1e-4)
        slopes = np.stack([(landmarks(values + steps * one) - seen) / step for one, step in zip(np.eye(10), steps)], 1)
        left = np.concatenate([(points.ravel() - seen) * weights, (MEAN - values) / SPREAD])
        equations = np.concatenate([slopes * weights[:, None], np.diag(1 / SPREAD)])
        values = values + np.clip(np.linalg.lstsq(equations, left, rcond=None)[0], -0.3 * scale, 0.3 * scale)
        values[2:4] = np.clip(values[2:4], -1.5, 1.5)
    roll, yaw, pitch = values[1:4]
    error = np.sqrt(np.mean((landmarks(values) - points.ravel()) ** 2) * 2) / np.exp(values[0])
    return Pose(rotation(roll, yaw, pitch), float(np.exp(values[0])), values[4:6], float(yaw), float(pitch), float(roll),
                float(values[6]), float(values[8]), float(error))


CLOSE_EYES = 12  # pixels between the eyes, below which a face is too small to paint on
LARGEST_YAW, LARGEST_PITCH, LARGEST_ERROR = np.deg2rad(58), np.deg2rad(42), 0.16


def why_not(pose: Pose) -> str:
    """Why no mask is painted on a face of this pose, or "". """
    if pose.scale < CLOSE_EYES:
        return f"its eyes are closer than {CLOSE_EYES} pixels"
    if abs(pose.yaw) > LARGEST_YAW or abs(pose.pitch) > LARGEST_PITCH:
        return "it is turned too far"
    return "its landmarks fit no face" if pose.error > LARGEST_ERROR else ""
