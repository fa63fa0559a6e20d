"""A second detection pass for photos in which MTCNN is unsure; it finds masked faces that MTCNN's thresholds reject.

Thresholds low enough for a masked face let nearly anything pass, so three things make up for that:

- Candidates come from the photo and from its mirror image.
- Boxes that agree are merged by "box voting", their mean weighted by O-Net's scores: Gidaris and Komodakis, "Object
  Detection via a Multi-Region and Semantic Segmentation-Aware CNN Model", 2015. The best box alone is often too large.
- Test-time augmentation: O-Net scores each face again in VIEWS, somewhat larger, smaller and shifted, each also mirrored.
  A real face keeps its score; a chance resemblance at one place does not.

The evidence for a face is the mean log-odds of its views, plus the logarithm of the sum of the voters' scores, plus the
logarithm of the box's share of the photo: a smaller box has more places in a photo, and so more chances to be a mistake
("a contrario": Desolneux, Moisan and Morel, "Meaningful Alignments", 2000). reports/detection.md measures each.
"""
import numpy as np

from labeller.faces.selection import SAME, apart, overlaps

FACES = 3  # a photo's best supported faces, which are scored again
PLACES = (0, 0), (-0.1, -0.1), (-0.1, 0.1), (0.1, -0.1), (0.1, 0.1)
VIEWS = [(scale, dx, dy) for scale in (0.85, 1.18) for dx, dy in PLACES]  # scale, and shift in sides of the box
MIRRORED = [1, 0, 2, 4, 3]  # landmarks: left and right eye, nose, left and right corner of the mouth


def second_look(photos: np.ndarray, cascade, min_face: int, thresholds, known: np.ndarray | None = None,
                most: int = FACES) -> list[np.ndarray]:
    """Faces of each photo, (k, 15): x0, y0, x1, y1, evidence, x and y of five landmarks; k <= most.

    photos: (N, H, W, 3) uint8, RGB. cascade: see labeller/faces/detector.py. known: faces (m, 5 or more) of every photo
    that need no second look.
    """
    _, height, width, _ = photos.shape
    turned = photos[:, :, ::-1].copy()
    found, mirrored = (cascade.candidates(side, min_face, thresholds) for side in (photos, turned))
    voted = [vote(apart(np.concatenate([a, mirror(b, width)]), known), most) for a, b in zip(found, mirrored)]
    out = []
    for faces, odds in zip(voted, log_odds(photos, voted, cascade)):
        share = np.prod(np.maximum(faces[:, 2:4] - faces[:, :2], 1), axis=1) / (height * width)
        out.append(np.column_stack([faces[:, :4], odds + np.log(faces[:, 4]) + np.log(share), faces[:, 5:]]))
    return out


def mirror(faces: np.ndarray, width: int) -> np.ndarray:
    """Boxes (k, 4 or 5), or faces with landmarks (k, 15), in the mirror image of a photo."""
    out = faces.copy()
    out[:, 0], out[:, 2] = width - faces[:, 2], width - faces[:, 0]
    if faces.shape[1] > 5:
        points = faces[:, 5:].reshape(len(faces), 5, 2)[:, MIRRORED]
        out[:, 5::2], out[:, 6::2] = width - points[..., 0], points[..., 1]
    return out


def vote(faces: np.ndarray, most: int = FACES) -> np.ndarray:
    """Box voting: faces (k, 5 or more), x0, y0, x1, y1, score, to the `most` best supported: the mean face, sum of scores."""
    out: list[np.ndarray] = []
    left = faces
    while len(left) and len(out) < most:
        same = np.stack([overlaps(face, left)[0] >= SAME for face in left])
        support = same @ left[:, 4]
        voters = left[same[support.argmax()]]
        out.append(np.average(voters, axis=0, weights=voters[:, 4]))
        out[-1][4] = support.max()
        left = left[overlaps(out[-1], left)[0] < SAME / 2]
    return np.array(out, float).reshape(-1, faces.shape[1])


def log_odds(photos: np.ndarray, boxes: list[np.ndarray], cascade) -> list[np.ndarray]:
    """O-Net's log-odds of a face for each photo's boxes, (k,), averaged over the views and their mirror images.

    Beyond the photo a view sees the edge's pixels repeated.
    """
    counts = [len(b) for b in boxes]
    if not sum(counts):
        return [np.zeros(0)] * len(boxes)
    views = np.concatenate([view_boxes(b) for b in boxes])
    owner = np.repeat(np.arange(len(photos)), counts).repeat(len(VIEWS))
    rows, columns = (reach(views[:, axis::2], side) for axis, side in ((1, photos.shape[1]), (0, photos.shape[2])))
    wider = photos.take(rows, 1, mode="clip").take(columns, 2, mode="clip")
    views = views - np.array([columns[0], rows[0]] * 2)
    probabilities = [cascade.face_probabilities(side, owner, around) for side, around in
                     ((wider, views), (wider[:, :, ::-1].copy(), mirror(views, len(columns))))]
    shares = np.stack(probabilities).clip(1e-4, 1 - 1e-4).astype(np.float64)
    mean = np.log(shares / (1 - shares)).mean(0).reshape(-1, len(VIEWS)).mean(1)
    return np.split(mean, np.cumsum(counts)[:-1])


def reach(sides: np.ndarray, length: int) -> np.ndarray:
    """The pixels from the first to the last that views with these sides (k, 2) see, at most half a `length` outside."""
    low, high = sides.min() - 2, sides.max() + 2  # a cut begins up to a pixel before its box
    return np.arange(max(-(length // 2), int(low) - 1), min(length + length // 2, int(high) + 1))


def view_boxes(boxes: np.ndarray) -> np.ndarray:
    """The views of boxes (k, 4 or more): squares, (k * len(VIEWS), 4)."""
    side = (boxes[:, 2:4] - boxes[:, :2]).max(1, initial=0)[:, None]
    middle = (boxes[:, :2] + boxes[:, 2:4]) / 2
    corners = [np.hstack([middle + side * ((dx - s / 2), (dy - s / 2)), middle + side * ((dx + s / 2), (dy + s / 2))])
               for s, dx, dy in VIEWS]
    return np.stack(corners, 1).reshape(-1, 4)
