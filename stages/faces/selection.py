"""Which face is that of the person whom a photo is about, where there are several boxes.

Of boxes that mostly lie within one another the one with more evidence stands: the smaller may be an eye, the larger
a face made of a face and its surroundings. Of those that lie apart the largest wins: whoever stands behind, or hangs on
the wall, is smaller, however clearly a poster shows them.
"""
import numpy as np

from stages.faces.mtcnn import overlaps

WITHIN = 0.3  # intersection over the smaller of two boxes from which they are not apart


def main_face(faces: np.ndarray) -> np.ndarray | None:
    """faces: (k, 5 or more), x0, y0, x1, y1, score or evidence. Returns the row of one, or None where there is none."""
    apart: list[np.ndarray] = []
    for face in faces[np.argsort(-faces[:, 4], kind="stable")]:
        if not apart or not (overlaps(face, np.array(apart))[1] > WITHIN).any():
            apart.append(face)
    return max(apart, key=area, default=None)


def area(face: np.ndarray) -> float:
    """Of a box, in square pixels."""
    return float((face[2] - face[0]) * (face[3] - face[1]))
