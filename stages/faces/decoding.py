"""Open photos safely: the only place that decodes an image."""
from io import BytesIO
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from stages.faces.prefetch import prefetch

MAX_PIXELS = 100_000_000  # a larger one is refused before it is decoded
ORIENTATION = 0x0112  # EXIF's tag
Image.MAX_IMAGE_PIXELS = None  # our own limit says so in one line
ImageFile.LOAD_TRUNCATED_IMAGES = False


class Unreadable(Exception):
    """A file that is no photo; the text says why."""


def read_photo(path) -> np.ndarray:
    """Decode a photo, upright as EXIF says, as (H, W, 3) uint8, RGB; the first frame of an animated one.

    Raises Unreadable for whatever is not a whole photo of at most MAX_PIXELS.
    """
    try:
        data = Path(path).read_bytes()
        with Image.open(BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Unreadable(f"{image.width}x{image.height} pixels, more than {MAX_PIXELS // 10**6} million")
            return quickly(image, data) if plain(image) else decoded(image)
    except FileNotFoundError:
        raise Unreadable("no such file") from None
    except UnidentifiedImageError:
        raise Unreadable("not an image") from None
    except Unreadable:
        raise
    except Exception as error:  # noqa: BLE001 a damaged file makes decoders raise nearly anything
        raise Unreadable((str(error).splitlines() or [type(error).__name__])[0]) from None


def plain(image: Image.Image) -> bool:
    """Whether it is what nearly all photos are: a JPEG in colour or grey, stored upright."""
    return image.format == "JPEG" and image.mode in ("RGB", "L") and image.getexif().get(ORIENTATION, 1) == 1


def quickly(image: Image.Image, data: bytes) -> np.ndarray:
    """The pixels that Pillow gives, in two thirds of the time; what the quick decoder refuses, Pillow judges."""
    try:
        return simplejpeg.decode_jpeg(data, fastdct=False, fastupsample=False)
    except ValueError:
        return decoded(image)


def decoded(image: Image.Image) -> np.ndarray:
    """By Pillow: any format and colour mode."""
    image = upright(image)
    if image.mode.startswith("I"):  # 16-bit grey: Pillow would clip it at 255
        grey = np.clip(np.asarray(image, np.int64) >> 8, 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.asarray(image.convert("RGB"))


def upright(image: Image.Image) -> Image.Image:
    """Turned as EXIF says; as it is where its EXIF data is damaged."""
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 see above; the photo itself is sound
        return image


def read_or_reason(path) -> np.ndarray | str:
    """The photo, or the reason why there is none."""
    try:
        return read_photo(path)
    except Unreadable as reason:
        return str(reason)


def read_photos(paths: list[Path], workers: int):
    """Yield of each path, in order, its photo, (H, W, 3) uint8 RGB, or the reason (a string) why there is none.

    `workers` threads decode ahead: the decoder lets go of the interpreter.
    """
    yield from prefetch(read_or_reason, paths, workers)
