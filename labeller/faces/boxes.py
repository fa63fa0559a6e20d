"""The box of a face, and the region to crop around it: (x0, y0, x1, y1), whole pixels, x1 and y1 exclusive."""

MIDDLE = 0.5  # side of the middle box, as a share of the photo's shorter side


def middle_box(width: int, height: int) -> tuple[int, int, int, int]:
    """The box of a photo without a detected face: a square in its middle, about as large as a face."""
    side = max(1, round(min(width, height) * MIDDLE))
    x0, y0 = (width - side) // 2, (height - side) // 2
    return x0, y0, x0 + side, y0 + side


def cut_box(box, margin: float, aspect: float) -> tuple[int, int, int, int]:
    """The region to crop around a face: a square with `margin` on each side, widened or heightened to `aspect`.

    box: (x0, y0, x1, y1) of the face, in pixels. margin: a share of the face's longer side, 0 or more.
    aspect: width / height of the region, which is centred on the face and may reach beyond the photo.
    """
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0) * (1 + 2 * margin)
    width, height = max(1, round(side * max(1, aspect))), max(1, round(side / min(1, aspect)))
    left, top = round((x0 + x1 - width) / 2), round((y0 + y1 - height) / 2)
    return left, top, left + width, top + height
