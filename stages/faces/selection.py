"""Select the photo's main face among several boxes.

Of overlapping boxes the one with more evidence stays: the smaller may be an eye, the larger a face with its
surroundings. Of separate ones the largest wins: bystanders and faces on posters are smaller, however clear.
"""
import numpy as np

from stages.faces.mtcnn import overlaps

WITHIN = 0.3  # boxes overlap above this intersection over the smaller area


def main_face(faces: np.ndarray) -> np.ndarray | None:
    """The row of the main face, or None if there is none; faces: (k, 5 or more), x0, y0, x1, y1, score or evidence."""
    apart: list[np.ndarray] = []
    for face in faces[np.argsort(-faces[:, 4], kind="stable")]:
        if not apart or not (overlaps(face, np.array(apart))[1] > WITHIN).any():
            apart.append(face)
    return max(apart, key=area, default=None)


def area(face: np.ndarray) -> float:
    """Area of a box in square pixels."""
    return float((face[2] - face[0]) * (face[3] - face[1]))
