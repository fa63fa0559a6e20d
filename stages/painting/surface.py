"""The lower face as a smooth surface: horizontal sections from ear to ear, and a ridge along the nose, lips and chin.

In head coordinates (stages/painting/pose.py) of an average face. A point is (angle, y): -pi/2 is the left ear of the photo, 0
the middle, pi/2 the right ear. Lengths are of anthropometric tables, rounded: a mask hides what would be more exact.
"""
import numpy as np

from stages.painting.pose import Pose

HEIGHTS = np.linspace(-0.8, 3.0, 381)
TABLE = np.array([  # y; half the width; z of the cheeks' front, and of the ears; ridge of the skin, and of a sheet
    (-0.80, 0.92, -0.05, -1.20, 0.00, 0.00), (-0.10, 1.06, 0.04, -1.20, 0.05, 0.06), (0.20, 1.08, 0.05, -1.20, 0.14, 0.16),
    (0.40, 1.07, 0.08, -1.20, 0.24, 0.26), (0.64, 1.05, 0.12, -1.20, 0.33, 0.36), (0.82, 1.01, 0.14, -1.18, 0.12, 0.35),
    (1.03, 0.95, 0.15, -1.12, 0.10, 0.30), (1.30, 0.85, 0.14, -1.02, 0.07, 0.24), (1.55, 0.71, 0.11, -0.90, 0.10, 0.20),
    (1.70, 0.60, 0.03, -0.82, 0.08, 0.17), (1.82, 0.53, -0.15, -0.80, 0.04, 0.10), (2.10, 0.50, -0.55, -0.95, 0.00, 0.02),
    (3.00, 0.50, -0.60, -1.00, 0.00, 0.00)])
CHIN = 1.72
SQUARENESS = 0.85  # exponent of sine and cosine: below 1 a section is flatter in front than an ellipse


def _smooth(values: np.ndarray) -> np.ndarray:
    """A column of TABLE at HEIGHTS, without corners."""
    kernel = np.exp(-np.linspace(-2, 2, 21) ** 2)
    dense = np.interp(HEIGHTS, TABLE[:, 0], values)
    return np.convolve(np.pad(dense, 10, "edge"), kernel / kernel.sum(), "valid")


HALF, FRONT, BACK, SKIN, SHEET = (_smooth(column) for column in TABLE.T[1:])


def section(angle: np.ndarray, y: np.ndarray, tent: float = 0.0, lift=0.0, wide: float = 1.0) -> np.ndarray:
    """Points (..., 3) of the surface. tent: 0 is skin, 1 a sheet from nose to chin; lift: how far above it, a number or an
    array like the angles; wide: width of the face, as a share of the average one's."""
    half, front, back, skin, sheet = (np.interp(y, HEIGHTS, column) for column in (HALF, FRONT, BACK, SKIN, SHEET))
    across = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** SQUARENESS
    along = np.clip(np.cos(angle), 0, 1) ** SQUARENESS
    x = half * wide * across * (1 + 0.5 * lift)
    spread = (1 - tent) * 0.15 + tent * np.interp(y, (0.2, 0.6, 1.0, 1.6), (0.16, 0.26, 0.46, 0.42))
    ridge = ((1 - tent) * skin + tent * sheet) * np.exp(-0.5 * (x / spread) ** 2)
    behind = np.minimum(np.cos(angle), 0)  # past the ears the head closes
    return np.stack([x, y + 0 * x, back + (front - back) * along + ridge + lift * along + behind], -1)


def stretch(y: np.ndarray, pose: Pose) -> np.ndarray:
    """Heights of the average face to those of this one, whose nose and mouth lie elsewhere."""
    chin = CHIN + 1.0 * (pose.mouth - 1.03)
    known, own = (-1.0, 0.0, 0.64, 1.03, CHIN, 3.0), (-1.0, 0.0, pose.nose, pose.mouth, chin, chin + 3.0 - CHIN)
    return np.interp(y, known, own)


def place(points: np.ndarray, pose: Pose) -> np.ndarray:
    """Points (..., 3) of the average face in the photo: x and y in pixels, and z towards the viewer."""
    own = points.copy()
    own[..., 1] = stretch(points[..., 1], pose)
    return pose.to_photo(own)


def jaw(angle: np.ndarray) -> np.ndarray:
    """Height of the jaw's lower edge: from the chin to below the ears."""
    return CHIN + 0.02 - 1.0 * np.abs(angle / (np.pi / 2)) ** 2.2


def face_grid(rows: int = 12, columns: int = 21) -> np.ndarray:
    """Points (rows, columns, 3) of the skin from the brows to the jaw's edge, from ear to ear."""
    angle, down = np.meshgrid(np.linspace(-1, 1, columns) * np.pi / 2, np.linspace(0, 1, rows))
    return section(angle, -0.45 + (jaw(angle) + 0.45) * down)
