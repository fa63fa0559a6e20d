"""MTCNN by ONNX Runtime and NumPy, without torch: the same boxes as the pipeline's stages/faces/mtcnn.py on a CPU.

Its steps, and where they differ from facenet-pytorch's, stand there. Each photo is looked at by itself. A box is
(x0, y0, x1, y1) in pixels of the photo; `image` is always the photo's integral image, (H+1, W+1, 3) int32.
"""
from functools import lru_cache

import cv2
import numpy as np

from labeller.faces.pyramid import pyramid

AT_ONCE = 4  # crops; O-Net takes 1.8 times as long a crop with 30


class Cascade:
    """run: the networks by name, "pnet", "rnet" and "onet": functions of pixels (K, H, W, 3) float32, 0 to 255, that give
    box corrections, landmarks (O-Net's alone) and the two probabilities."""

    def __init__(self, run: dict):
        self.run = run

    def empty(self, shape: tuple[int, ...]) -> np.ndarray:
        """An array of uint8 for a batch of photos."""
        return np.empty(shape, np.uint8)

    def candidates(self, photos: np.ndarray, min_face: int, thresholds) -> list[np.ndarray]:
        """Of each photo (k, 15), before the last NMS: x0, y0, x1, y1, score, x and y of the five landmarks.

        photos: (N, H, W, 3) uint8, RGB; thresholds: of P-Net, R-Net and O-Net.
        """
        return [self.find(cv2.integral(photo), min_face, thresholds) for photo in photos]

    def face_probabilities(self, photos: np.ndarray, owner: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """O-Net's probabilities of a face, (k,), in boxes (k, 4) of the photos `owner` (k,)."""
        out = np.empty(len(boxes), np.float32)
        for i in np.unique(owner):
            corners, _ = cut_corners(boxes[owner == i], photos.shape[2], photos.shape[1])
            out[owner == i] = self.score("onet", cut(cv2.integral(photos[i]), corners, 48))[2][:, 1]
        return out

    def find(self, image: np.ndarray, min_face: int, thresholds) -> np.ndarray:
        """All three networks in turn: (k, 15) as `candidates` has them."""
        boxes = self.propose(image, min_face, thresholds[0])
        boxes, shifts, _ = self.filter("rnet", 24, image, squared(boxes), thresholds[1])
        best = nms(boxes, 0.7)
        boxes = squared(shifted(boxes[best], shifts[best]))
        boxes, shifts, points = self.filter("onet", 48, image, boxes, thresholds[2])
        return np.concatenate([shifted(boxes, shifts), points.reshape(len(points), 10)], 1)

    def propose(self, image: np.ndarray, min_face: int, threshold: float) -> np.ndarray:
        """P-Net's candidates of all scales after NMS: boxes with scores, (K, 5)."""
        sizes, places, level = pyramid(image.shape[0] - 1, image.shape[1] - 1, min_face)
        if not sizes:  # the photo is smaller than the smallest face
            return np.zeros((0, 5), np.float32)
        maps = [self.run["pnet"](shrink(image, *size)[None]) for size in sizes]
        shifts = np.concatenate([shift[0].transpose(1, 2, 0).reshape(-1, 4) for shift, _ in maps])
        probabilities = np.concatenate([probability[0, 1].ravel() for _, probability in maps])
        place = np.flatnonzero(probabilities >= threshold)
        boxes = np.concatenate([places[place], probabilities[place, None]], 1)
        best = nms(boxes, 0.5, level[place])
        best = best[nms(boxes[best], 0.7)]
        boxes, shifts = boxes[best], shifts[place[best]]
        sides = np.tile(boxes[:, 2:4] - boxes[:, :2], 2)
        return np.concatenate([boxes[:, :4] + shifts * sides, boxes[:, 4:5]], 1)

    def score(self, net: str, crops: np.ndarray) -> list[np.ndarray]:
        """The outputs of `net` for crops (K, side, side, 3) float32, a few at a time: more do not fit the core's cache."""
        parts = [self.run[net](crops[start:start + AT_ONCE]) for start in range(0, len(crops), AT_ONCE)]
        return [np.concatenate(output) for output in zip(*parts)]

    def filter(self, net: str, side: int, image: np.ndarray, boxes: np.ndarray, threshold: float):
        """Candidates that `net` scores above the threshold: boxes with scores (K, 5), shifts (K, 4), landmarks (K, 5, 2)."""
        corners, inside = cut_corners(boxes, image.shape[1] - 1, image.shape[0] - 1)
        boxes, corners = boxes[inside, :4], corners[inside]
        if not len(boxes):
            return np.zeros((0, 5), np.float32), np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32)
        shifts, *points, probabilities = self.score(net, cut(image, corners, side))
        scores = probabilities[:, 1]
        kept = scores > threshold
        points = points[0][kept] if points else np.zeros((kept.sum(), 10), np.float32)
        return (np.concatenate([boxes[kept], scores[kept, None]], 1), shifts[kept],
                to_photo_pixels(points, corners[kept]))


@lru_cache(256)
def cells_of_side(length: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """`cells` of one length, cached: photos have few sizes."""
    return cells(np.int64(length), count)


def cells(length, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the `count` cells of an area resize of `length` pixels begin and end (exclusive)."""
    i = np.arange(count)
    return i * length // count, -(-(i + 1) * length // count)


def shrink(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The whole photo, resized by area: (height, width, 3) float32, 0 to 255."""
    y0, y1 = cells_of_side(image.shape[0] - 1, height)
    x0, x1 = cells_of_side(image.shape[1] - 1, width)
    rows = image[y1] - image[y0]
    sums = (rows[:, x1] - rows[:, x0]).astype(np.float32)
    return sums / (y1 - y0).astype(np.float32)[:, None, None] / (x1 - x0).astype(np.float32)[:, None]


def cut(image: np.ndarray, corners: np.ndarray, side: int) -> np.ndarray:
    """K boxes (K, 4), whole pixels within the photo, resized by area: (K, side, side, 3) float32, 0 to 255."""
    x, y, right, bottom = corners.T[:, :, None]
    y0, y1 = cells(bottom - y, side)
    x0, x1 = cells(right - x, side)
    take, width = image.reshape(-1, 3).take, image.shape[1]
    top, low = (((y + row) * width)[:, :, None] for row in (y0, y1))
    left, right = ((x + column)[:, None] for column in (x0, x1))
    sums = take(low + right, 0)  # in a third of the time that indexing takes
    sums -= take(top + right, 0)
    sums -= take(low + left, 0)
    sums += take(top + left, 0)
    sums = sums.astype(np.float32)
    sums /= (y1 - y0).astype(np.float32)[:, :, None, None]
    sums /= (x1 - x0).astype(np.float32)[:, None, :, None]
    return sums


def nms(boxes: np.ndarray, overlap: float, group: np.ndarray | None = None) -> np.ndarray:
    """Non-maximum suppression of boxes with scores (K, 5), within each group (K,); returns indices by falling score."""
    order = np.argsort(-boxes[:, 4], kind="stable")
    x0, y0, x1, y1 = boxes[order, :4].T.astype(np.float64)
    groups = np.zeros(len(order)) if group is None else group[order]
    areas, alive, kept = (x1 - x0) * (y1 - y0), np.ones(len(order), bool), []
    for i in range(len(order)):
        if not alive[i]:
            continue
        kept.append(i)
        rest = i + 1 + np.flatnonzero(alive[i + 1:] & (groups[i + 1:] == groups[i]))
        width = np.minimum(x1[i], x1[rest]) - np.maximum(x0[i], x0[rest])
        height = np.minimum(y1[i], y1[rest]) - np.maximum(y0[i], y0[rest])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        alive[rest] = ~(shared / (areas[i] + areas[rest] - shared) > overlap)
    return order[kept]


def shifted(boxes: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Boxes with a network's corrections applied, which are shares of their width and height."""
    sides = np.tile(boxes[:, 2:4] - boxes[:, :2] + 1, 2)
    return np.concatenate([boxes[:, :4] + shifts * sides, boxes[:, 4:5]], 1)


def to_photo_pixels(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Landmarks in pixels of the photo, (K, 5, 2), from shares of the cut, (K, 10): five x, then five y."""
    corners = corners.astype(np.float32)
    shares = points.reshape(-1, 2, 5).transpose(0, 2, 1)
    return shares * (corners[:, None, 2:] - corners[:, None, :2]) + corners[:, None, :2]


def squared(boxes: np.ndarray) -> np.ndarray:
    """Boxes grown to squares around their centres."""
    sides = boxes[:, 2:4] - boxes[:, :2]
    longer = sides.max(1, keepdims=True, initial=0)
    top_left = boxes[:, :2] + sides * np.float32(0.5) - longer * np.float32(0.5)
    return np.concatenate([top_left, top_left + longer, boxes[:, 4:5]], 1)


def cut_corners(boxes: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes clipped to the photo, in whole pixels, (K, 4), and whether anything is left of each, (K,)."""
    whole = np.trunc(boxes[:, :4]).astype(np.int64)
    x0, y0 = whole[:, 0].clip(min=1) - 1, whole[:, 1].clip(min=1) - 1
    x1, y1 = whole[:, 2].clip(max=width), whole[:, 3].clip(max=height)
    return np.stack([x0, y0, x1, y1], 1), (x1 > x0) & (y1 > y0)
