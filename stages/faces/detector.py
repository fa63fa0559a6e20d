"""Detect the main face of each photo: by MTCNN where it is sure, else by the second look, else the middle box."""
from math import ceil

import cv2
import numpy as np
import torch

from stages.core.params import Detect
from stages.faces.boxes import middle_box
from stages.faces.mtcnn import Cascade
from stages.faces.second_look import second_look
from stages.faces.selection import area, main_face

LARGE = 4_000_000  # pixels; a larger photo is shrunk before detection
SMALLEST = 32  # no faces below 1/32 of a photo's mean side (the root of its area) are looked for, which bounds the time
COLUMNS = ["found", "x0", "y0", "x1", "y1", "score", "faces"]


def by_size(photos: list[np.ndarray]) -> list[list[int]]:
    """Positions of the photos of each size; a batch holds photos of one size."""
    groups: dict[tuple, list[int]] = {}
    for i, photo in enumerate(photos):
        groups.setdefault(photo.shape, []).append(i)
    return list(groups.values())


def find_faces(photos: list[np.ndarray], cascade: Cascade, p: Detect) -> list[tuple]:
    """A tuple of the COLUMNS for each photo. photos: (H, W, 3) uint8, RGB, of any sizes."""
    rows: list = [None] * len(photos)
    for group in by_size(photos):
        height, width, _ = photos[group[0]].shape
        by = ceil((height * width / LARGE) ** 0.5)
        size = -(-width // by), -(-height // by)
        small = [cv2.resize(photos[i], size, interpolation=cv2.INTER_AREA) if by > 1 else photos[i] for i in group]
        for i, row in zip(group, find_in_batch(stacked(small, cascade.device), cascade, p, by)):
            rows[i] = row or ("center", *middle_box(width, height), "0.000", 0)
    return rows


def stacked(photos: list[np.ndarray], device: torch.device) -> torch.Tensor:
    """Photos of one size as a batch (N, H, W, 3), in pinned memory for a GPU."""
    batch = torch.empty(len(photos), *photos[0].shape, dtype=torch.uint8, pin_memory=device.type == "cuda")
    for photo, place in zip(photos, batch.numpy()):
        place[:] = photo
    return batch


def find_in_batch(photos: torch.Tensor, cascade: Cascade, p: Detect, by: int) -> list[tuple | None]:
    """The row of each photo, None without a face. photos: (N, H, W, 3) uint8, RGB, shrunk `by` times."""
    _, height, width, _ = photos.shape
    smallest = [max(-(-face // by), int((height * width) ** 0.5 / SMALLEST)) for face in (p.min_face, p.lenient_min_face)]
    rows = [row_of("mtcnn", sure(faces, p, height * width), by) for faces in cascade(photos, smallest[0], p.thresholds)]
    left = [i for i, row in enumerate(rows) if row is None]
    if left and p.second_look:
        for i, faces in zip(left, second_look(photos[left], cascade, smallest[1], p.lenient_thresholds)):
            rows[i] = row_of("lenient", faces[faces[:, 4] >= p.lenient_evidence], by)
    return rows


def sure(faces: np.ndarray, p: Detect, pixels: int) -> np.ndarray:
    """MTCNN's faces (k, 16) on which at least `sure_votes` boxes agree; none if none of these fills `sure_share` of the photo.

    All faces if `second_look` is off. pixels: of the photo.
    """
    if not p.second_look:
        return faces
    faces = faces[faces[:, 5] >= p.sure_votes]
    return faces if any(area(face) >= p.sure_share * pixels for face in faces) else faces[:0]


def row_of(found: str, faces: np.ndarray, by: int) -> tuple | None:
    """COLUMNS of the main one of faces (k, 5 or more) in a photo shrunk `by` times; None without faces."""
    face = main_face(faces)
    return None if face is None else (found, *(round(float(v) * by) for v in face[:4]), f"{face[4]:.3f}", len(faces))
