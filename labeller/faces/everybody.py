"""All faces of a photo: those of which MTCNN is sure, beside them what the second look finds, or else the padded look.

The pipeline wants the main face alone, and looks twice only where MTCNN is sure of none. In a group that would lose whoever
wears a mask beside somebody who does not.
"""
import numpy as np

from labeller.faces.detector import detect_in_batch, enlarged, fills, shrinking, shrunk, smallest_faces, sure
from labeller.faces.second_look import second_look
from labeller.faces.selection import area, separate_faces, without_nested

MOST = 30  # faces that the second look adds, which bounds its time


def find_everybody(photo: np.ndarray, cascade, p) -> list[tuple[str, np.ndarray]]:
    """How each face was found, and the face (15,), the largest first. photo: (H, W, 3) uint8, RGB; cascade, p: as in detect."""
    by = shrinking(*photo.shape[:2])
    photos = shrunk(photo, by)[None]
    smallest = smallest_faces(*photos.shape[1:3], p, by)
    [first] = cascade.candidates(photos, smallest[0], p.thresholds)
    known = np.array(separate_faces(sure(without_nested(first), p, 0))).reshape(-1, 15)
    out = [("mtcnn", face) for face in enlarged(known, by)]
    if p.second_look:
        [more] = second_look(photos, cascade, smallest[1], p.lenient_thresholds, known, MOST)
        more = separate_faces(more[more[:, 4] >= p.lenient_evidence])
        out += [("lenient", face) for face in enlarged(np.array(more).reshape(-1, 15), by)]
    faces = np.array([face for _, face in out]).reshape(-1, 15)
    if p.second_look and (not len(faces) or fills(faces, *photo.shape[:2])):  # nobody, or a face with no room for others
        [(how, faces)] = detect_in_batch(photos, cascade, p, by)
        out = [(how, face) for face in enlarged(np.array(separate_faces(faces)).reshape(-1, 15), by)]
    return sorted(out, key=lambda each: area(each[1]), reverse=True)
