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
import torch

from stages.faces.integral_image import integral
from stages.faces.mtcnn import SAME, Cascade, cut_corners, overlaps

FACES = 3  # a photo's best supported faces, which are scored again
PLACES = (0, 0), (-0.1, -0.1), (-0.1, 0.1), (0.1, -0.1), (0.1, 0.1)
VIEWS = [(scale, dx, dy) for scale in (0.85, 1.18) for dx, dy in PLACES]  # scale, and shift in sides of the box


def second_look(photos: torch.Tensor, cascade: Cascade, min_face: int, thresholds) -> list[np.ndarray]:
    """Faces of each photo, (k, 5): x0, y0, x1, y1, evidence; k <= FACES. photos: (N, H, W, 3) uint8, RGB."""
    _, height, width, _ = photos.shape
    found = cascade.candidates(photos, min_face, thresholds)
    mirrored = cascade.candidates(photos.flip(2), min_face, thresholds)
    voted = [vote(np.concatenate([a[:, :5], mirror(b[:, :5], width)])) for a, b in zip(found, mirrored)]
    out = []
    for boxes, odds in zip(voted, log_odds(photos, voted, cascade)):
        share = np.prod(np.maximum(boxes[:, 2:4] - boxes[:, :2], 1), axis=1) / (height * width)
        out.append(np.column_stack([boxes[:, :4], odds + np.log(boxes[:, 4]) + np.log(share)]))
    return out


def mirror(boxes, width: int):
    """Boxes (k, 4 or more), an array or a tensor, in the mirror image of a photo."""
    out = boxes.copy() if isinstance(boxes, np.ndarray) else boxes.clone()
    out[:, 0], out[:, 2] = width - boxes[:, 2], width - boxes[:, 0]
    return out


def vote(boxes: np.ndarray) -> np.ndarray:
    """Box voting: boxes (k, 5), x0, y0, x1, y1, score, to the FACES best supported, (j, 5): mean box, sum of scores."""
    out: list[np.ndarray] = []
    while len(boxes) and len(out) < FACES:
        same = np.stack([overlaps(box, boxes)[0] >= SAME for box in boxes])
        support = same @ boxes[:, 4]
        voters = boxes[same[support.argmax()]]
        out.append(np.append(np.average(voters[:, :4], axis=0, weights=voters[:, 4]), support.max()))
        boxes = boxes[overlaps(out[-1], boxes)[0] < SAME / 2]
    return np.array(out).reshape(-1, 5)


@torch.inference_mode()
def log_odds(photos: torch.Tensor, boxes: list[np.ndarray], cascade: Cascade) -> list[np.ndarray]:
    """O-Net's log-odds of a face for each photo's boxes, (k,), averaged over the views and their mirror images.

    Beyond the photo a view sees the edge's pixels repeated.
    """
    counts = [len(b) for b in boxes]
    views = torch.from_numpy(np.concatenate([view_boxes(b) for b in boxes]).reshape(-1, 4))
    owner = torch.arange(len(photos)).repeat_interleave(torch.tensor(counts) * len(VIEWS))
    _, height, width, _ = photos.shape
    rows, columns = (torch.arange(-(side // 2), side + side // 2).clamp(0, side - 1) for side in (height, width))
    photos = photos.index_select(1, rows).index_select(2, columns)
    views = views + torch.tensor([width // 2, height // 2] * 2)
    probabilities = [face_probabilities(p, owner, v, cascade)
                     for p, v in ((photos, views), (photos.flip(2), mirror(views, len(columns))))]
    mean = torch.stack(probabilities).clamp(1e-4, 1 - 1e-4).logit().mean(0).view(-1, len(VIEWS)).mean(1)
    return [part.numpy() for part in mean.split(counts)]


def face_probabilities(photos: torch.Tensor, owner: torch.Tensor, boxes: torch.Tensor, cascade: Cascade) -> torch.Tensor:
    """O-Net's probabilities of a face, (k,), in boxes (k, 4) of the photos `owner` (k,)."""
    corners, _ = cut_corners(boxes, photos.shape[2], photos.shape[1])
    image = integral(photos.to(cascade.device))
    return cascade.score(cascade.onet, 48, image, owner.to(cascade.device), corners.to(cascade.device))[2].cpu()


def view_boxes(boxes: np.ndarray) -> np.ndarray:
    """The views of boxes (k, 4 or more): squares, (k * len(VIEWS), 4)."""
    side = (boxes[:, 2:4] - boxes[:, :2]).max(1, initial=0)[:, None]
    middle = (boxes[:, :2] + boxes[:, 2:4]) / 2
    corners = [np.hstack([middle + side * ((dx - s / 2), (dy - s / 2)), middle + side * ((dx + s / 2), (dy + s / 2))])
               for s, dx, dy in VIEWS]
    return np.stack(corners, 1).reshape(-1, 4)
