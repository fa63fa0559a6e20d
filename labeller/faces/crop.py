"""Cut a face out of a photo, as the networks get it."""
import cv2
import numpy as np

from labeller.faces.boxes import cut_box, middle_box


def cut_face(photo: np.ndarray, box, p) -> np.ndarray:
    """The crop, at p.height and p.aspect. photo: (H, W, 3) uint8, RGB; box: (x0, y0, x1, y1) of its face.

    p: the section `crop` of params.yaml, or the bundle's. Pixels outside the photo repeat its edge. p.method `center` uses
    the middle of the photo as the face, `photo` all of it.
    """
    height, width, _ = photo.shape
    if p.method == "photo":
        region = 0, 0, width, height
    else:
        region = cut_box(middle_box(width, height) if p.method == "center" else box, p.margin, p.aspect)
    x0, y0, x1, y1 = region
    if min(x0, y0) >= 0 and x1 <= width and y1 <= height:
        return resized(photo[y0:y1, x0:x1], crop_shape(p))
    columns = np.clip(np.arange(x0, x1), 0, width - 1)
    rows = np.clip(np.arange(y0, y1), 0, height - 1)
    return resized(photo.take(rows, 0).take(columns, 1), crop_shape(p))


def crop_shape(p) -> tuple[int, int]:
    """Height and width of a crop, in pixels."""
    return p.height, max(1, round(p.height * p.aspect))


def resized(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The image (H, W, 3) uint8 at (height, width) `shape`: by area where it shrinks, else linearly."""
    if image.shape[:2] == tuple(shape):
        return image
    smaller = image.shape[0] >= shape[0]
    return cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
