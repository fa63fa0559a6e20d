"""A contact sheet: the faces of some photos, side by side."""
import cv2
import numpy as np

SIDE, COLUMNS, ROWS = 160, 10, 6


def tile(photo: np.ndarray, box: np.ndarray, side: int = SIDE) -> np.ndarray:
    """The square about a face's box (x0, y0, x1, y1) and a quarter on each side, (side, side, 3) uint8."""
    half = 0.75 * max(box[2] - box[0], box[3] - box[1])
    move = np.float64([[1, 0, half - (box[0] + box[2]) / 2], [0, 1, half - (box[1] + box[3]) / 2]]) * side / (2 * half)
    by = side / (2 * half)
    if by < 0.7:
        photo = cv2.GaussianBlur(photo, (0, 0), 0.35 / by)
    return cv2.warpAffine(photo, move, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def contact_sheet(tiles: list[np.ndarray]) -> np.ndarray:
    """(H, W, 3) uint8, RGB, of at most COLUMNS tiles a row; grey where there is none."""
    blank = np.full((SIDE, SIDE, 3), 128, np.uint8)
    filled = tiles + [blank] * (-len(tiles) % COLUMNS)
    return np.vstack([np.hstack(filled[i:i + COLUMNS]) for i in range(0, len(filled), COLUMNS)] or [blank])
