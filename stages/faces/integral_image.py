"""Area resizing of whole photos, or of many cuts at once, by integral images.

Viola and Jones, "Rapid Object Detection using a Boosted Cascade of Simple Features", 2001: the sum of any rectangle
takes four values of the image. The means are those of torch's `interpolate(mode="area")`, bit for bit.
"""
from functools import lru_cache

import cv2
import torch


def integral(photos: torch.Tensor) -> torch.Tensor:
    """Integral images, (N, H+1, W+1, 3) int32, of photos (N, H, W, 3) uint8.

    A total beyond int32 wraps around; the sum of a rectangle within int32 is still right.
    """
    if photos.device.type == "cpu":  # the same sums, several times faster
        sums = torch.empty(len(photos), photos.shape[1] + 1, photos.shape[2] + 1, 3, dtype=torch.int32)
        for photo, out in zip(photos.numpy(), sums.numpy()):
            cv2.integral(photo, sum=out)
        return sums
    sums = photos.cumsum(1, dtype=torch.int32).cumsum(2, dtype=torch.int32)
    return torch.nn.functional.pad(sums, (0, 0, 1, 0, 1, 0))


def cells(length, count: int, device) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the `count` cells of an area resize of `length` pixels begin and end (exclusive); they overlap as torch's do."""
    i = torch.arange(count, device=device)
    return i * length // count, -(-(i + 1) * length // count)


@lru_cache(256)
def cells_of_side(length: int, count: int, device) -> tuple[torch.Tensor, torch.Tensor]:
    """`cells`, cached: photos have few sizes. Computed on the host, so that every stream of a GPU finds them ready."""
    first, last = cells(length, count, "cpu")
    return first.to(device), last.to(device)


def shrink(image: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Resize all photos of integral images (N, H+1, W+1, 3): (N, height, width, 3) float, 0 to 255."""
    y0, y1 = cells_of_side(image.shape[1] - 1, height, image.device)
    x0, x1 = cells_of_side(image.shape[2] - 1, width, image.device)
    rows = image.index_select(1, y1) - image.index_select(1, y0)
    sums = rows.index_select(2, x1) - rows.index_select(2, x0)
    return sums.float().div_((y1 - y0)[:, None, None]).div_((x1 - x0)[:, None])  # in torch's order of divisions


def cut(image: torch.Tensor, owner: torch.Tensor, corners: torch.Tensor, side: int) -> torch.Tensor:
    """Cut K boxes out of integral images and resize them: (K, side, side, 3) float, 0 to 255.

    owner: (K,) index of each box's photo. corners: (K, 4) x0, y0, x1, y1, whole pixels, within the photo.
    """
    n, height, width, _ = image.shape
    x, y, right, bottom = corners[:, :, None].unbind(1)
    y0, y1 = cells(bottom - y, side, image.device)
    x0, x1 = cells(right - x, side, image.device)
    pixels = image.view(n * height * width, 3)
    top, low = (((owner[:, None] * height + y + row) * width)[:, :, None] for row in (y0, y1))
    left, right = ((x + column)[:, None] for column in (x0, x1))
    a, b, c, d = (pixels.index_select(0, at.flatten()) for at in (low + right, top + right, low + left, top + left))
    sums = (a - b - c + d).view(-1, side, side, 3).float()
    return sums.div_((y1 - y0)[:, :, None, None]).div_((x1 - x0)[:, None, :, None])
