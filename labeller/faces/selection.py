"""Which of several boxes are faces of their own, and which one is the photo's main face."""
import numpy as np

SAME = 0.6  # intersection over union from which two boxes agree on a face
WITHIN = 0.3  # boxes overlap above this intersection over the smaller area


def overlaps(box: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intersection over union, and over the smaller area, (k,) each, of a box with boxes (k, 4 or more)."""
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:4], box[2:4])
    shared = np.prod(np.maximum(0, high - low + 1), axis=1)
    area, areas = np.prod(box[2:4] - box[:2] + 1), np.prod(boxes[:, 2:4] - boxes[:, :2] + 1, axis=1)
    return shared / (area + areas - shared), shared / np.minimum(area, areas)


def without_nested(boxes: np.ndarray, overlap: float = 0.7) -> np.ndarray:
    """MTCNN's last NMS, of one photo: drops boxes that mostly lie within a better one. (k, 5 or more), best first.

    Inserts a column after the score: how many of all boxes agree with this one, itself included.
    """
    boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    kept: list[int] = []
    for i, box in enumerate(boxes):
        if not (overlaps(box, boxes[kept])[1] > overlap).any():
            kept.append(i)
    agree = np.array([(overlaps(boxes[i], boxes)[0] >= SAME).sum() for i in kept], boxes.dtype)
    return np.insert(boxes[kept], 5, agree, axis=1)


def separate_faces(faces: np.ndarray) -> list[np.ndarray]:
    """The rows of faces (k, 5 or more: x0, y0, x1, y1, score or evidence) that do not overlap a better one, best first.

    Of overlapping boxes the one with more evidence stays: the smaller may be an eye, the larger a face with its
    surroundings.
    """
    out: list[np.ndarray] = []
    for face in faces[np.argsort(-faces[:, 4], kind="stable")]:
        if not out or not (overlaps(face, np.array(out))[1] > WITHIN).any():
            out.append(face)
    return out


def apart(faces: np.ndarray, known: np.ndarray | None) -> np.ndarray:
    """The faces (k, 5 or more) that overlap none of the `known` ones (m, 4 or more)."""
    for face in () if known is None else known:
        faces = faces[overlaps(face, faces)[1] <= WITHIN]
    return faces


def main_face(faces: np.ndarray) -> np.ndarray | None:
    """The row of the main face, or None if there is none; faces: as in separate_faces.

    Of separate faces the largest wins: bystanders and faces on posters are smaller, however clear.
    """
    return max(separate_faces(faces), key=area, default=None)


def area(face: np.ndarray) -> float:
    """Area of a box in square pixels."""
    return float((face[2] - face[0]) * (face[3] - face[1]))
