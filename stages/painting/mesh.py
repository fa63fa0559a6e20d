"""Render a grid of points: which part of it is seen at which pixel.

Triangles are drawn by number, far ones first (the painter's algorithm); then each pixel's values follow from its triangle.
"""
import cv2
import numpy as np

SUBPIXEL = 4  # bits


def triangles(rows: int, columns: int) -> np.ndarray:
    """Indices (2 * (rows - 1) * (columns - 1), 3) of the triangles of a grid."""
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    return np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])


def render(points: np.ndarray, values: np.ndarray, shape: tuple[int, int], both_sides: bool = False) -> tuple:
    """Values (H, W, k) float32 at each pixel, and whether the grid is seen there, (H, W) bool.

    points: (rows, columns, 3), x and y in pixels and z towards the viewer; rows go down and columns to the right, where
    the front is seen. values: (rows, columns, k). both_sides: draw triangles whose back is seen, too.
    """
    corners = triangles(*points.shape[:2])
    flat, values = points.reshape(-1, 3), values.reshape(-1, values.shape[-1])
    tri = flat[corners]
    (ax, ay), (bx, by) = (tri[:, 1, :2] - tri[:, 0, :2]).T, (tri[:, 2, :2] - tri[:, 0, :2]).T
    area = ax * by - ay * bx
    seen = np.flatnonzero(np.abs(area) > 0.02 if both_sides else area > 0.02)
    seen = seen[np.argsort(tri[seen, :, 2].mean(1), kind="stable")]
    drawn = np.zeros(shape, np.int32)
    for number, corner in enumerate(np.rint(tri[seen, :, :2] * 2**SUBPIXEL).astype(np.int32), 1):
        cv2.fillConvexPoly(drawn, corner, number, cv2.LINE_8, SUBPIXEL)
    return at_pixels(drawn, tri[seen], values[corners[seen]])


def at_pixels(drawn: np.ndarray, tri: np.ndarray, values: np.ndarray) -> tuple:
    """As render, from the number of the triangle (from 1) at each pixel; tri: (t, 3, 3), values: (t, 3, k) of their corners."""
    covered = drawn > 0
    out = np.zeros((*drawn.shape, values.shape[-1]), np.float32)
    if not len(tri):
        return out, covered
    slopes = np.linalg.solve(np.concatenate([tri[:, :, :2], np.ones_like(tri[:, :, :1])], 2), values)  # (t, 3, k)
    y, x = np.nonzero(covered)
    own = slopes[drawn[y, x] - 1].astype(np.float32)
    found = own[:, 0] * x[:, None] + own[:, 1] * y[:, None] + own[:, 2]
    bounds = values.min((0, 1)), values.max((0, 1))
    out[y, x] = np.clip(found, *bounds)
    return out, covered
