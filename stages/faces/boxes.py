"""Boxes: where the face lies, and which part of the photo is cut. (x0, y0, x1, y1), whole pixels, x1 and y1 outside."""

MIDDLE = 0.5  # side of the box taken where no face is found, as a share of the photo's shorter side


def middle_box(width: int, height: int) -> tuple[int, int, int, int]:
    """A square about the size of a face in the middle of a photo."""
    side = max(1, round(min(width, height) * MIDDLE))
    x0, y0 = (width - side) // 2, (height - side) // 2
    return x0, y0, x0 + side, y0 + side


def cut_box(box, margin: float, aspect: float) -> tuple[int, int, int, int]:
    """The region to cut around a face: a square with `margin` on each side, its longer side grown to `aspect`.

    box: (x0, y0, x1, y1) of the face, in pixels. margin: a share of the face's longer side, 0 or more.
    aspect: width / height of the region. The region keeps the face's centre and may leave the photo.
    """
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0) * (1 + 2 * margin)
    width, height = max(1, round(side * max(1, aspect))), max(1, round(side / min(1, aspect)))
    left, top = round((x0 + x1 - width) / 2), round((y0 + y1 - height) / 2)
    return left, top, left + width, top + height
