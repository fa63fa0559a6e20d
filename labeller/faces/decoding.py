"""Decode photos safely: the only place that decodes an image."""
from io import BytesIO
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from labeller.faces.prefetch import prefetch

GONE = "no such file"  # the reason of a photo that is not there
MAX_PIXELS = 100_000_000  # a larger photo is refused before decoding
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")  # told by content. Others are refused: EPS runs a program, a frame in an ICO file may
                                          # be larger than its header says
OTHERS = {  # what people take for a photo, and the bytes that it has at this place
    "GIF": (0, b"GIF8"), "TIFF": (0, b"II*\0"), "TIFF (big endian)": (0, b"MM\0*"), "PDF": (0, b"%PDF"), "EPS": (0, b"%!PS"),
    "HEIC": (4, b"ftyphei"), "HEIF": (4, b"ftypmif"), "AVIF": (4, b"ftypavi"), "an icon": (0, b"\0\0\1\0"), "SVG": (0, b"<svg"),
}
ORIENTATION = 0x0112  # the EXIF tag
Image.MAX_IMAGE_PIXELS = None  # off: MAX_PIXELS gives a reason of one line
ImageFile.LOAD_TRUNCATED_IMAGES = False


class Unreadable(Exception):
    """A file that cannot be decoded; the text says why."""


def read_photo(path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode a photo to (H, W, 3) uint8, RGB, rotated as EXIF says; of an animation the first frame.

    Raises Unreadable if it is missing, none of FORMATS by its content, truncated or damaged, or of more than max_pixels.
    """
    return decode_photo(read_bytes(path), max_pixels)


def read_bytes(path) -> bytes:
    """The bytes of a file; raises Unreadable if it cannot be read."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise Unreadable(GONE) from None
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    except ValueError as error:  # a name that no file can have
        raise Unreadable(str(error)) from None


def decode_photo(data: bytes, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """As read_photo, from the bytes of a file."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise Unreadable(f"{image.width}x{image.height} pixels, more than {max_pixels / 1e6:g} million")
            return decode_fast(image, data) if is_upright_jpeg(image) else decode_any(image)
    except UnidentifiedImageError:
        raise Unreadable(other_format(data)) from None
    except Unreadable:
        raise
    except Exception as error:  # noqa: BLE001 decoders raise nearly anything for a damaged file
        raise Unreadable((str(error).splitlines() or [type(error).__name__])[0]) from None


def other_format(data: bytes) -> str:
    """Why data that Pillow takes for none of FORMATS is no photo."""
    for name, (at, mark) in OTHERS.items():
        if data[at:at + len(mark)] == mark:
            return f"{name}, which is not read; convert it to one of {', '.join(FORMATS)}"
    return "not an image" if data else "an empty file"


def is_upright_jpeg(image: Image.Image) -> bool:
    """Whether the image is a JPEG in RGB or grey, stored upright, as nearly all photos are."""
    return image.format == "JPEG" and image.mode in ("RGB", "L") and image.getexif().get(ORIENTATION, 1) == 1


def decode_fast(image: Image.Image, data: bytes) -> np.ndarray:
    """Pillow's pixels, by simplejpeg in two thirds of the time; by Pillow where simplejpeg refuses the file."""
    try:
        return simplejpeg.decode_jpeg(data, fastdct=False, fastupsample=False)
    except ValueError:
        return decode_any(image)


def decode_any(image: Image.Image) -> np.ndarray:
    """Decode any format and colour mode by Pillow."""
    image = upright(image)
    if image.mode.startswith("I"):  # 16-bit grey: Pillow would clip it at 255
        grey = np.clip(np.asarray(image, np.int64) >> 8, 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.asarray(image.convert("RGB"))


def upright(image: Image.Image) -> Image.Image:
    """The image rotated as EXIF says; unchanged where its EXIF data is damaged."""
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 see above; the pixels are intact
        return image


def read_or_reason(path) -> np.ndarray | str:
    """The photo, or the reason why it cannot be decoded."""
    try:
        return read_photo(path)
    except Unreadable as reason:
        return str(reason)


def read_photos(paths: list[Path], workers: int):
    """Yield each path's photo, (H, W, 3) uint8 RGB, or the reason (a string) why it cannot be decoded, in order.

    `workers` threads prefetch; the decoder releases the GIL.
    """
    yield from prefetch(read_or_reason, paths, workers)
