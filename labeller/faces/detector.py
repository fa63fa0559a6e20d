"""Detect the faces of each photo: by MTCNN where it is sure, else by the second look, or else by the padded look.

MTCNN learnt from faces with their surroundings. Where a face fills half of the photo there are hardly any, so no look is sure
of it, and the next one may find a better box.

cascade: MTCNN's networks, by torch (stages/faces/mtcnn.py) or by ONNX Runtime (labeller/mtcnn.py). Both have

    empty(shape)                                        an array of uint8 for a batch, where the cascade wants it
    candidates(photos, min_face, thresholds)            of photos (N, H, W, 3) uint8, RGB: for each (k, 15), before the last
                                                        NMS: x0, y0, x1, y1, score, x and y of five landmarks
    face_probabilities(photos, owner, boxes)            O-Net's (k,), of boxes (k, 4) of the photos `owner` (k,)
"""
from math import ceil

import cv2
import numpy as np

from labeller.faces.boxes import middle_box
from labeller.faces.padded_look import padded_look
from labeller.faces.second_look import second_look
from labeller.faces.selection import area, main_face, without_nested

LARGE = 4_000_000  # pixels; a larger photo is shrunk before detection
SMALLEST = 32  # no faces below 1/32 of a photo's mean side (the root of its area) are looked for, which bounds the time
FILLS = 0.5  # share of the photo from which a face leaves too little of its surroundings
POINTS = [f"{place}_{axis}" for place in ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right") for axis in "xy"]
COLUMNS = ["found", "x0", "y0", "x1", "y1", "score", "faces", *POINTS]  # left and right as they are in the photo


def by_size(photos: list[np.ndarray]) -> list[list[int]]:
    """Positions of the photos of each size; a batch holds photos of one size."""
    groups: dict[tuple, list[int]] = {}
    for i, photo in enumerate(photos):
        groups.setdefault(photo.shape, []).append(i)
    return list(groups.values())


def detect(photos: list[np.ndarray], cascade, p) -> list[tuple[str, np.ndarray]]:
    """How the faces of each photo were found, and the faces (k, 15), in pixels of the photo; "center" where there are none.

    The main face is among them; others need not be (labeller/faces/everybody.py). photos: (H, W, 3) uint8, RGB, of any
    sizes. p: the section `detect` of params.yaml, or the bundle's.
    """
    found: list = [None] * len(photos)
    for group in by_size(photos):
        height, width, _ = photos[group[0]].shape
        by = shrinking(height, width)
        batch = cascade.empty((len(group), -(-height // by), -(-width // by), 3))
        for i, place in zip(group, batch):
            place[:] = shrunk(photos[i], by)
        for i, (how, faces) in zip(group, detect_in_batch(batch, cascade, p, by)):
            found[i] = how, enlarged(faces, by)
    return found


def shrinking(height: int, width: int) -> int:
    """By how much a photo is shrunk before detection."""
    return ceil((height * width / LARGE) ** 0.5)


def shrunk(photo: np.ndarray, by: int) -> np.ndarray:
    """A photo (H, W, 3) uint8 of a `by`-th of its sides, rounded up."""
    height, width, _ = photo.shape
    return cv2.resize(photo, (-(-width // by), -(-height // by)), interpolation=cv2.INTER_AREA) if by > 1 else photo


def enlarged(faces: np.ndarray, by: int) -> np.ndarray:
    """Faces (k, 15) of a photo shrunk `by` times, in pixels of the photo."""
    return faces * np.where(np.arange(faces.shape[1]) == 4, 1, by)


def smallest_faces(height: int, width: int, p, by: int) -> list[int]:
    """Side of the smallest face that MTCNN and the second look search, in pixels of a photo shrunk `by` times."""
    return [max(-(-face // by), int((height * width) ** 0.5 / SMALLEST)) for face in (p.min_face, p.lenient_min_face)]


def detect_in_batch(photos: np.ndarray, cascade, p, by: int) -> list[tuple[str, np.ndarray]]:
    """As detect, of photos (N, H, W, 3) uint8, RGB, shrunk `by` times, in their pixels."""
    _, height, width, _ = photos.shape
    smallest, share = smallest_faces(height, width, p, by), p.sure_share * height * width
    first = [without_nested(faces) for faces in cascade.candidates(photos, smallest[0], p.thresholds)]
    found = [("mtcnn", sure(faces, p, share)) for faces in first]
    unsure = [i for i, (_, faces) in enumerate(found) if not len(faces) or fills(faces, height, width)] if p.second_look else []
    if unsure:
        for i, faces in zip(unsure, second_look(photos[unsure], cascade, smallest[1], p.lenient_thresholds)):
            if (enough := faces[:, 4] >= p.lenient_evidence).any():
                found[i] = "lenient", faces[enough]
        unsure = [i for i in unsure if found[i][0] == "mtcnn" or fills(found[i][1], height, width)]
    if unsure:
        for i, faces in zip(unsure, padded_look(photos[unsure], cascade, p)):
            least = main_face(found[i][1])[4] if found[i][0] == "lenient" else -np.inf
            if (better := faces[:, 4] > least).any():
                found[i] = "padded", faces[better]
    return [(how, faces) if len(faces) else ("center", faces) for how, faces in found]


def fills(faces: np.ndarray, height: int, width: int) -> bool:
    """Whether one of the faces (k, 5 or more) fills so much of a photo that little of its surroundings is seen."""
    sides = np.minimum(faces[:, 2:4], (width, height)) - np.maximum(faces[:, :2], 0)
    return bool((sides.prod(1) >= FILLS * height * width).any())


def sure(faces: np.ndarray, p, least: float) -> np.ndarray:
    """MTCNN's faces (k, 15), of (k, 16), on which at least `sure_votes` boxes agree; none if none has `least` pixels.

    All faces if `second_look` is off.
    """
    agree, faces = faces[:, 5], np.delete(faces, 5, axis=1)
    if not p.second_look:
        return faces
    faces = faces[agree >= p.sure_votes]
    return faces if any(area(face) >= least for face in faces) else faces[:0]


def find_faces(photos: list[np.ndarray], cascade, p) -> list[tuple]:
    """A tuple of the COLUMNS for each photo, of its main face. photos, p: as in detect."""
    return [row_of(how, faces, photo.shape) for (how, faces), photo in zip(detect(photos, cascade, p), photos)]


def row_of(how: str, faces: np.ndarray, shape: tuple) -> tuple:
    """COLUMNS of the main one of faces (k, 15) in a photo of this shape; without faces those of its middle, without POINTS."""
    face = main_face(faces)
    if face is None:
        return "center", *middle_box(shape[1], shape[0]), "0.000", 0, *[""] * len(POINTS)
    box, points = ([round(float(value)) for value in part] for part in (face[:4], face[5:]))
    return how, *box, f"{face[4]:.3f}", len(faces), *points
