"""MTCNN's image pyramid, from the scale at which the smallest face fills P-Net's receptive field down to the whole photo.

Zhang et al., "Joint Face Detection and Alignment using Multitask Cascaded Convolutional Networks", 2016, section II.A.
"""
from functools import lru_cache

import numpy as np

FACTOR = 0.709  # from one scale of the pyramid to the next: about half the area, as in the paper
CELL, STRIDE = 12, 2  # P-Net's receptive field and stride, in pixels of a scale


@lru_cache(64)
def pyramid(height: int, width: int, min_face: int) -> tuple[list[tuple[int, int]], np.ndarray, np.ndarray]:
    """Height and width of each scale; the boxes (L, 4) float32 that P-Net scores, in pixels of the photo; their scales (L,)."""
    scale, sizes, places, level = CELL / min_face, [], [], []
    while min(height, width) * scale >= CELL:
        sizes.append((int(height * scale + 1), int(width * scale + 1)))
        rows, columns = (-(-(side - 4) // 2) - 3 for side in sizes[-1])  # two convolutions and a pool, and two more
        y, x = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
        at = np.stack([x, y], 2).reshape(-1, 2).astype(np.float32)
        places.append(np.concatenate([np.floor((STRIDE * at + 1) / scale), np.floor((STRIDE * at + CELL) / scale)], 1))
        level.append(np.full(len(at), len(level)))
        scale *= FACTOR
    if not sizes:
        return [], np.zeros((0, 4), np.float32), np.zeros(0, int)
    return sizes, np.concatenate(places).astype(np.float32), np.concatenate(level)
