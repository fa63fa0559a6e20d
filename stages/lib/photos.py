"""Open photos safely: the only place that decodes an image."""
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
MAX_PIXELS = 100_000_000  # a larger one is refused before it is decoded
Image.MAX_IMAGE_PIXELS = None  # our own limit says so in one line
ImageFile.LOAD_TRUNCATED_IMAGES = False


class Unreadable(Exception):
    """A file that is no photo; the text says why."""


def read_photo(path) -> np.ndarray:
    """Decode a photo, upright as EXIF says, as (H, W, 3) uint8, RGB; the first frame of an animated one.

    Raises Unreadable for whatever is not a whole photo of at most MAX_PIXELS.
    """
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Unreadable(f"{image.width}x{image.height} pixels, more than {MAX_PIXELS // 10**6} million")
            image = upright(image)
            if image.mode.startswith("I"):  # 16-bit grey: Pillow would clip it at 255
                grey = np.clip(np.asarray(image, np.int64) >> 8, 0, 255).astype(np.uint8)
                return np.repeat(grey[..., None], 3, axis=2)
            return np.asarray(image.convert("RGB"))
    except FileNotFoundError:
        raise Unreadable("no such file") from None
    except UnidentifiedImageError:
        raise Unreadable("not an image") from None
    except Unreadable:
        raise
    except Exception as error:  # noqa: BLE001 a damaged file makes decoders raise nearly anything
        raise Unreadable((str(error).splitlines() or [type(error).__name__])[0]) from None


def upright(image: Image.Image) -> Image.Image:
    """Turned as EXIF says; as it is where its EXIF data is damaged."""
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 see above; the photo itself is sound
        return image


def _read_or_reason(path):
    try:
        return read_photo(path)
    except Unreadable as reason:
        return str(reason)


def read_photos(paths: list[Path], workers: int):
    """Yield of each path, in order, its photo, (H, W, 3) uint8 RGB, or the reason (a string) why there is none.

    `workers` threads decode ahead (Pillow lets go of the interpreter while it decodes); at most four photos a worker
    wait, so memory stays flat however many paths there are.
    """
    if workers == 0:
        yield from map(_read_or_reason, paths)
        return
    with ThreadPoolExecutor(workers) as pool:
        ahead = deque()
        for path in paths:
            ahead.append(pool.submit(_read_or_reason, path))
            if len(ahead) > 4 * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
