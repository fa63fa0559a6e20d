"""MTCNN with facenet-pytorch's three networks and weights, batched throughout: no loop over boxes.

Zhang et al., "Joint Face Detection and Alignment using Multitask Cascaded Convolutional Networks", 2016.

P-Net proposes candidates at every place and scale; R-Net and O-Net score and correct them. The steps and their arithmetic
are facenet-pytorch's, with these differences: photos are shrunk and candidates cut from integral images
(stages/faces/integral_image.py), all at once; the candidates of all scales are collected together, so that the host waits
for the GPU only a few times a batch; NMS is exact in its coordinates; a candidate wholly outside the photo is dropped
instead of stopping the run; and landmarks are placed within the visible part of a face.

A box never depends on the other photos of its batch: on a GPU the networks see batches of one fixed size, padded with
zeros, and on the CPU each photo alone (no slower there, since it stays in the cache).
A box is (x0, y0, x1, y1) in pixels of the photo.
"""
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from torchvision.ops import nms

from labeller.faces.pyramid import pyramid
from labeller.faces.selection import without_nested
from stages.faces.integral_image import cut, integral, shrink

PHOTOS, CUTS = 32, 1024  # batch sizes on a GPU: contest photos for P-Net, candidates for R-Net and O-Net
CONTEST_PIXELS = 384 * 512


class Candidates(NamedTuple):
    """Candidates that passed O-Net, of all photos of a batch, before NMS."""

    owner: torch.Tensor  # (k,) index of the photo
    boxes: torch.Tensor  # (k, 5) x0, y0, x1, y1, score
    points: torch.Tensor  # (k, 5, 2) x and y of the left and right eye, nose, left and right corner of the mouth


class Cascade:
    """The three networks on one device.

    alone: each photo by itself, else batches of a fixed size. half: half precision inside the networks; boxes and scores
    stay float32. By default a GPU takes batches in half precision, and the CPU single photos in float32.
    """

    def __init__(self, device: torch.device, alone: bool | None = None, half: bool | None = None):
        self.device = device
        self.alone = device.type == "cpu" if alone is None else alone
        self.half = device.type == "cuda" if half is None else half
        self.pnet, self.rnet, self.onet = (net().eval().to(device, memory_format=torch.channels_last)
                                           for net in (PNet, RNet, ONet))

    def __call__(self, photos: torch.Tensor, min_face: int, thresholds) -> list[np.ndarray]:
        """Candidates of at least `min_face` pixels; `thresholds` are those of P-Net, R-Net and O-Net.

        photos: (N, H, W, 3) uint8, RGB, an array or a tensor. Returns the faces of each photo, (k, 16), best first: x0, y0,
        x1, y1, score, number of boxes that agree on the face, and x and y of the five landmarks.
        """
        return [without_nested(faces) for faces in self.candidates(photos, min_face, thresholds)]

    @torch.inference_mode()
    def candidates(self, photos: torch.Tensor, min_face: int, thresholds) -> list[np.ndarray]:
        """As __call__, before the last NMS: (k, 15), several boxes a face, and no number that agree."""
        photos = torch.as_tensor(photos)
        _, height, width, _ = photos.shape
        chunk = 1 if self.alone else max(1, PHOTOS * CONTEST_PIXELS // max(CONTEST_PIXELS, height * width))
        out = []
        for part in photos.split(chunk):
            faces = self.find(integral(filled(part.to(self.device, non_blocking=True), chunk)), min_face, thresholds)
            table = torch.cat([faces.owner[:, None], faces.boxes, faces.points.flatten(1)], 1).cpu().numpy()
            out += [table[table[:, 0] == i, 1:] for i in range(len(part))]
        return out

    @torch.inference_mode()
    def face_probabilities(self, photos: np.ndarray, owner: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """O-Net's probabilities of a face, (k,), in boxes (k, 4) of the photos `owner` (k,)."""
        corners, _ = cut_corners(torch.as_tensor(boxes), photos.shape[2], photos.shape[1])
        image = integral(torch.as_tensor(photos).to(self.device))
        scores = self.score(self.onet, 48, image, torch.as_tensor(owner).to(self.device), corners.to(self.device))[2]
        return scores.cpu().numpy()

    def empty(self, shape: tuple[int, ...]) -> np.ndarray:
        """An array of uint8 for a batch of photos, in pinned memory for a GPU."""
        return torch.empty(shape, dtype=torch.uint8, pin_memory=self.device.type == "cuda").numpy()

    def find(self, image: torch.Tensor, min_face: int, thresholds) -> Candidates:
        """All three networks in turn. image: integral images of the photos."""
        owner, boxes = self.propose(image, min_face, thresholds[0])
        owner, boxes, shifts, _ = self.filter(self.rnet, 24, image, owner, squared(boxes), thresholds[1])
        best = batched_nms(boxes, owner, 0.7)
        boxes = squared(shifted(boxes[best], shifts[best]))
        owner, boxes, shifts, points = self.filter(self.onet, 48, image, owner[best], boxes, thresholds[2])
        return Candidates(owner, shifted(boxes, shifts), points)

    def propose(self, image, min_face: int, threshold: float) -> tuple[torch.Tensor, torch.Tensor]:
        """P-Net's candidates of all scales after NMS: their photos, (K,), and boxes with scores, (K, 5)."""
        height, width = image.shape[1] - 1, image.shape[2] - 1
        sizes, places, level = pyramid_on(self.device, height, width, min_face)
        if not sizes:  # the photo is smaller than the smallest face
            return torch.zeros(0, dtype=torch.long, device=self.device), torch.zeros(0, 5, device=self.device)
        maps = [self.run(self.pnet, shrink(image, *size)) for size in sizes]
        shifts = torch.cat([shift.permute(0, 2, 3, 1).flatten(1, 2) for shift, _ in maps], 1)
        probabilities = torch.cat([probability[:, 1].flatten(1) for _, probability in maps], 1)
        owner, place = torch.nonzero(probabilities >= threshold, as_tuple=True)
        boxes = torch.cat([places[place], probabilities[owner, place, None]], 1)
        best = batched_nms(boxes, owner * len(sizes) + level[place], 0.5)
        best = best[batched_nms(boxes[best], owner[best], 0.7)]
        owner, place, boxes = owner[best], place[best], boxes[best]
        sides = (boxes[:, 2:4] - boxes[:, :2]).repeat(1, 2)
        return owner, torch.cat([boxes[:, :4] + shifts[owner, place] * sides, boxes[:, 4:5]], 1)

    def filter(self, net, side: int, image, owner, boxes, threshold: float):
        """Candidates scored above the threshold by `net`: owner (K,), boxes with scores (K, 5), shifts (K, 4), landmarks."""
        corners, inside = cut_corners(boxes, image.shape[2] - 1, image.shape[1] - 1)
        owner, boxes, corners = owner[inside], boxes[inside, :4], corners[inside]
        shifts, points, scores = self.score(net, side, image, owner, corners)
        kept = scores > threshold
        boxes = torch.cat([boxes[kept], scores[kept, None]], 1)
        return owner[kept], boxes, shifts[kept], to_photo_pixels(points[kept], corners[kept])

    def score(self, net, side: int, image, owner, corners):
        """Run `net` on K cuts: box corrections (K, 4), landmarks as shares of the cut (K, 10), probabilities of a face (K,)."""
        size = max(1, len(owner)) if self.alone else CUTS
        outs = [self.run(net, cut(image, filled(o, size), filled(c, size), side))
                for o, c in zip(owner.split(size), corners.split(size))]
        shifts, *points, probabilities = (torch.cat(parts)[: len(owner)] for parts in zip(*outs))
        return shifts, points[0] if points else shifts.new_zeros(len(owner), 10), probabilities[:, 1]

    def run(self, net, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Outputs of a network in float32; pixels: (K, H, W, 3), 0 to 255."""
        with torch.autocast(self.device.type, torch.float16, enabled=self.half):
            return [out.float() for out in net(((pixels - 127.5) * 0.0078125).permute(0, 3, 1, 2))]


def filled(rows: torch.Tensor, count: int) -> torch.Tensor:
    """Rows, padded with rows of zeros to `count`."""
    missing = count - len(rows)
    return torch.cat([rows, rows.new_zeros(missing, *rows.shape[1:])]) if missing > 0 else rows


@lru_cache(64)
def pyramid_on(device, height: int, width: int, min_face: int) -> tuple[list, torch.Tensor, torch.Tensor]:
    """labeller.faces.pyramid on the device: sizes, boxes and their scales."""
    sizes, places, level = pyramid(height, width, min_face)
    return sizes, torch.from_numpy(places).to(device), torch.from_numpy(level).to(device)


def batched_nms(boxes: torch.Tensor, group: torch.Tensor, overlap: float) -> torch.Tensor:
    """Non-maximum suppression within each group; returns indices by falling score.

    Groups are moved apart in float64, where a float32 box plus its offset is exact.
    """
    corners = boxes[:, :4].double()
    if not len(corners):
        return torch.zeros(0, dtype=torch.long, device=boxes.device)
    apart = group.double() * torch.exp2(torch.ceil(torch.log2(corners.max() - corners.min() + 2)))
    return nms(corners + apart[:, None], boxes[:, 4].double(), overlap)


def shifted(boxes: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Boxes with a network's corrections applied, which are shares of their width and height."""
    sides = (boxes[:, 2:4] - boxes[:, :2] + 1).repeat(1, 2)
    return torch.cat([boxes[:, :4] + shifts * sides, boxes[:, 4:5]], 1)


def to_photo_pixels(points: torch.Tensor, corners: torch.Tensor) -> torch.Tensor:
    """Landmarks in pixels of the photo, (K, 5, 2), from shares of the cut, (K, 10): five x, then five y.

    facenet-pytorch takes shares of the candidate's whole box, of which a cut at the photo's edge is only a part.
    """
    corners = corners.float()
    return points.view(-1, 2, 5).transpose(1, 2) * (corners[:, None, 2:] - corners[:, None, :2]) + corners[:, None, :2]


def squared(boxes: torch.Tensor) -> torch.Tensor:
    """Boxes grown to squares around their centres."""
    sides = boxes[:, 2:4] - boxes[:, :2]
    longer = sides.max(1, keepdim=True).values
    top_left = boxes[:, :2] + sides * 0.5 - longer * 0.5
    return torch.cat([top_left, top_left + longer, boxes[:, 4:5]], 1)


def cut_corners(boxes: torch.Tensor, width: int, height: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes clipped to the photo, in whole pixels, (K, 4), and whether anything is left of each, (K,)."""
    whole = boxes[:, :4].trunc().long()
    x0, y0 = whole[:, 0].clamp(min=1) - 1, whole[:, 1].clamp(min=1) - 1
    x1, y1 = whole[:, 2].clamp(max=width), whole[:, 3].clamp(max=height)
    return torch.stack([x0, y0, x1, y1], 1), (x1 > x0) & (y1 > y0)
