"""A third detection pass, for ready crops that a face fills to the edge, and for thumbnails.

It sees the photos in which two passes found nothing, or a face that fills half of the photo: such a box is often off.
MTCNN's boxes need the surroundings of a face, and its pyramid starts at faces of a fixed size. So this pass brings the photo
to one size, whatever it had, and pads it with its mean colour before the second look sees it. A face has to fill a good part
of the photo, and needs more evidence: nothing but the border is new, which is no reason to believe in a face. A border that
repeats the edge or mirrors the photo finds less: reports/detection.md has the figures.
"""
import cv2
import numpy as np

from labeller.faces.second_look import second_look

SIDE = 300  # pixels; the root of the photo's area, as this pass sees it
BORDER = 0.5  # on each side, as a share of the photo's shorter side
MIN_FACE = 60  # pixels of SIDE
STRICTER = 3.0  # than the second look: log-odds
X, Y = [0, 2, *range(5, 15, 2)], [1, 3, *range(6, 15, 2)]  # columns of a face: its box and landmarks


def padded_look(photos: np.ndarray, cascade, p) -> list[np.ndarray]:
    """Faces of each photo, (k, 15) as of the second look, that have enough evidence; boxes may reach beyond the photo.

    photos: (N, H, W, 3) uint8, RGB. cascade: see labeller/faces/detector.py. p: the section `detect` of params.yaml.
    """
    _, height, width, _ = photos.shape
    scale = SIDE / (height * width) ** 0.5
    tall, broad = max(1, round(height * scale)), max(1, round(width * scale))
    border = round(BORDER * min(tall, broad))
    padded = np.stack([pad(photo, tall, broad, border) for photo in photos])
    out = []
    for faces in second_look(padded, cascade, MIN_FACE, p.lenient_thresholds):
        faces[:, X] = (faces[:, X] - border) * width / broad
        faces[:, Y] = (faces[:, Y] - border) * height / tall
        faces[:, 4] += np.log(padded[0, ..., 0].size / (tall * broad))  # a face's share is that of the photo without the border
        out.append(faces[(faces[:, 4] >= p.lenient_evidence + STRICTER) & within(faces, height, width)])
    return out


def pad(photo: np.ndarray, height: int, width: int, border: int) -> np.ndarray:
    """A photo (H, W, 3) uint8 brought to height and width, with a border of its mean colour."""
    shrinks = height < photo.shape[0]
    out = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    mean = photo.mean((0, 1)).tolist()
    return cv2.copyMakeBorder(out, border, border, border, border, cv2.BORDER_CONSTANT, value=mean)


def within(faces: np.ndarray, height: int, width: int) -> np.ndarray:
    """Whether the middle of each face (k, 15) lies in the photo, (k,)."""
    x, y = (faces[:, :2] + faces[:, 2:4]).T / 2
    return (x >= 0) & (x < width) & (y >= 0) & (y < height)
