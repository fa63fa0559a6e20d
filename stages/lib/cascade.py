"""MTCNN, batched all the way: the three networks of facenet-pytorch with their weights, and no loop over boxes.

Zhang et al., "Joint Face Detection and Alignment using Multitask Cascaded Convolutional Networks", 2016.

P-Net looks for faces at every place and scale, R-Net and O-Net judge and correct the candidates. The steps and their
arithmetic are facenet-pytorch's, with three differences: cuts of all candidates are taken at once from an integral
image, NMS is done on exact coordinates so that no box depends on the other photos of its batch, and a candidate
wholly outside the photo is dropped instead of stopping the run. A box is (x0, y0, x1, y1) in pixels.
"""
import cv2
import numpy as np
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from torchvision.ops import nms

FACTOR = 0.709  # between two scales of the pyramid; the paper's, about half the area
CELL, STRIDE = 12, 2  # P-Net's field of view and step, in pixels of a scale
CUTS = 2048  # candidates at once in R-Net and O-Net


class Cascade:
    """Finds faces of at least `min_face` pixels; `thresholds` are those of P-Net, R-Net and O-Net."""

    def __init__(self, device: torch.device):
        self.device = device
        self.pnet, self.rnet, self.onet = (net().eval().to(device) for net in (PNet, RNet, ONet))

    @torch.inference_mode()
    def __call__(self, photos: torch.Tensor, min_face: int, thresholds) -> list[np.ndarray]:
        """photos: (N, H, W, 3) uint8, RGB. Returns of each photo its faces, (k, 5): x0, y0, x1, y1, score."""
        photos = photos.to(self.device)
        n, height, width, _ = photos.shape
        image = integral(photos)
        owner, boxes = self.propose(image, (n, height, width), min_face, thresholds[0])
        boxes = squared(boxes)

        for net, side, threshold in ((self.rnet, 24, thresholds[1]), (self.onet, 48, thresholds[2])):
            corners, inside = cut_corners(boxes, width, height)
            owner, boxes = owner[inside], boxes[inside]
            cuts = torch.cat([net_input(cut(image, o, c, side)).contiguous() for o, c in
                              zip(owner.split(CUTS), corners[inside].split(CUTS))]) if len(owner) else \
                torch.zeros(0, 3, side, side, device=self.device)
            shifts, scores = judge(net, cuts)
            kept = scores > threshold
            owner, boxes = owner[kept], torch.cat([boxes[kept, :4], scores[kept, None]], 1)
            if net is self.rnet:
                best = nms_apart(boxes, owner, 0.7)
                owner, boxes = owner[best], squared(shifted(boxes[best], shifts[kept][best]))
            else:
                boxes = shifted(boxes, shifts[kept])

        owner, boxes = owner.cpu().numpy(), boxes.cpu().numpy()
        return [without_nested(boxes[owner == i]) for i in range(n)]

    def propose(self, image, shape, min_face, threshold):
        """P-Net's candidates at all scales after NMS: the photo of each, (K,), and its box and score, (K, 5)."""
        n, height, width = shape
        found = []
        for level, scale in enumerate(scales(height, width, min_face)):
            size = int(height * scale + 1), int(width * scale + 1)
            shifts, chances = self.pnet(net_input(shrink(image, *size)))
            owner, y, x = torch.nonzero(chances[:, 1] >= threshold, as_tuple=True)
            at = torch.stack([x, y], 1).to(shifts.dtype)
            top_left, bottom_right = ((STRIDE * at + 1) / scale).floor(), ((STRIDE * at + CELL) / scale).floor()
            score = chances[owner, 1, y, x, None]
            found.append((owner, owner + n * level, torch.cat([top_left, bottom_right, score, shifts[owner, :, y, x]], 1)))
        if not found:  # the photo is smaller than the smallest face
            return torch.zeros(0, dtype=torch.long, device=image.device), torch.zeros(0, 5, device=image.device)
        owner, group, boxes = (torch.cat(parts) for parts in zip(*found))
        best = nms_apart(boxes, group, 0.5)
        best = best[nms_apart(boxes[best], owner[best], 0.7)]
        owner, boxes = owner[best], boxes[best]
        sides = (boxes[:, 2:4] - boxes[:, :2]).repeat(1, 2)
        return owner, torch.cat([boxes[:, :4] + boxes[:, 5:9] * sides, boxes[:, 4:5]], 1)


def scales(height: int, width: int, min_face: int) -> list[float]:
    """Scales of the pyramid, from the one at which the smallest face fills P-Net's view down to the whole photo."""
    scale, out = CELL / min_face, []
    while min(height, width) * scale >= CELL:
        out.append(scale)
        scale *= FACTOR
    return out


def integral(photos: torch.Tensor) -> torch.Tensor:
    """Sums of all pixels above and left of each: (N, H+1, W+1, 3) int32, of photos (N, H, W, 3) uint8.

    The sum of any rectangle is a difference of four; where a photo's total leaves int32, the difference still holds.
    """
    if photos.device.type == "cpu":  # the same sums, several times as fast
        return torch.from_numpy(np.stack([cv2.integral(photo) for photo in photos.numpy()]))
    sums = photos.cumsum(1, dtype=torch.int32).cumsum(2, dtype=torch.int32)
    return torch.nn.functional.pad(sums, (0, 0, 1, 0, 1, 0))


def cells(length, count: int, device) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the `count` cells of an area resize begin and end in `length` pixels; they overlap as torch's do."""
    i = torch.arange(count, device=device)
    return i * length // count, -(-(i + 1) * length // count)


def mean_of_cells(at, y0, y1, x0, x1):
    """Mean of each cell from the integral image's values `at(y, x)`; the division is in torch's own order."""
    sums = (at(y1, x1) - at(y0, x1) - at(y1, x0) + at(y0, x0)).float()
    return sums / (y1 - y0)[..., None].float() / (x1 - x0)[..., None].float()


def shrink(image: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """All photos of an integral image resized by area: (N, height, width, 3) float, 0 to 255."""
    y0, y1 = cells(image.shape[1] - 1, height, image.device)
    x0, x1 = cells(image.shape[2] - 1, width, image.device)
    return mean_of_cells(lambda y, x: image[:, y[:, 0]][:, :, x[0]], y0[:, None], y1[:, None], x0[None], x1[None])


def cut(image: torch.Tensor, owner: torch.Tensor, corners: torch.Tensor, side: int) -> torch.Tensor:
    """Cuts resized by area, (K, side, side, 3) float; owner (K,): photo of each; corners (K, 4): x0, y0, x1, y1."""
    x, y, right, bottom = corners[:, :, None].unbind(1)
    y0, y1 = cells(bottom - y, side, image.device)
    x0, x1 = cells(right - x, side, image.device)
    own = owner[:, None, None]
    return mean_of_cells(lambda row, column: image[own, row, column], (y + y0)[:, :, None], (y + y1)[:, :, None],
                         (x + x0)[:, None, :], (x + x1)[:, None, :])


def net_input(pixels: torch.Tensor) -> torch.Tensor:
    """(K, H, W, 3), 0 to 255, as the networks take it: (K, 3, H, W), about -1 to 1."""
    return ((pixels - 127.5) * 0.0078125).permute(0, 3, 1, 2)


def judge(net, cuts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """R-Net's or O-Net's corrections (K, 4) and chances of a face (K,) of cuts (K, 3, S, S)."""
    if not len(cuts):
        return cuts.new_zeros(0, 4), cuts.new_zeros(0)
    outs = [net(part) for part in cuts.split(CUTS)]
    return torch.cat([out[0] for out in outs]), torch.cat([out[-1][:, 1] for out in outs])


def nms_apart(boxes: torch.Tensor, group: torch.Tensor, overlap: float) -> torch.Tensor:
    """Non-maximum suppression within each group; indices by falling score.

    Groups are moved apart in float64, where a float32 box plus its offset is exact.
    """
    corners = boxes[:, :4].double()
    if not len(corners):
        return torch.zeros(0, dtype=torch.long, device=boxes.device)
    apart = group.double() * 2 ** torch.ceil(torch.log2(corners.max() - corners.min() + 2))
    return nms(corners + apart[:, None], boxes[:, 4].double(), overlap)


def shifted(boxes: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Boxes moved by a network's corrections, which are shares of their width and height."""
    sides = (boxes[:, 2:4] - boxes[:, :2] + 1).repeat(1, 2)
    return torch.cat([boxes[:, :4] + shifts * sides, boxes[:, 4:5]], 1)


def squared(boxes: torch.Tensor) -> torch.Tensor:
    """Boxes grown to squares about their centres."""
    sides = boxes[:, 2:4] - boxes[:, :2]
    longer = sides.max(1, keepdim=True).values
    top_left = boxes[:, :2] + sides * 0.5 - longer * 0.5
    return torch.cat([top_left, top_left + longer, boxes[:, 4:5]], 1)


def cut_corners(boxes: torch.Tensor, width: int, height: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Whole-pixel corners (K, 4) of the part of each box within the photo, and whether any of it is, (K,)."""
    whole = boxes[:, :4].trunc().long()
    x0, y0 = whole[:, 0].clamp(min=1) - 1, whole[:, 1].clamp(min=1) - 1
    x1, y1 = whole[:, 2].clamp(max=width), whole[:, 3].clamp(max=height)
    return torch.stack([x0, y0, x1, y1], 1), (x1 > x0) & (y1 > y0)


def without_nested(boxes: np.ndarray, overlap: float = 0.7) -> np.ndarray:
    """The last suppression, of one photo: a box that mostly lies within a better one goes. (k, 5), best first."""
    boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    areas = (boxes[:, 2] - boxes[:, 0] + 1) * (boxes[:, 3] - boxes[:, 1] + 1)
    kept: list[int] = []
    for i, box in enumerate(boxes):
        low, high = np.maximum(boxes[kept, :2], box[:2]), np.minimum(boxes[kept, 2:4], box[2:4])
        shared = np.prod(np.maximum(0, high - low + 1), axis=1)
        if not (shared > overlap * np.minimum(areas[kept], areas[i])).any():
            kept.append(i)
    return boxes[kept]
