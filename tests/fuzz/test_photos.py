"""Whatever bytes are called a photo, they are decoded or there is a reason."""
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from labeller.faces.decoding import FORMATS, Unreadable, decode_photo, read_photo
from tests.fuzz.bounds import bounded, fuzzed
from tests.fuzz.made import damaged

OTHERS = ("GIF", "TIFF", "ICO", "PPM", "PCX", "TGA", "SGI", "DDS", "JPEG2000", "AVIF", "MPO", "EPS", "PDF", "ICNS", "SPIDER",
          "BLP")


def saved(kind: str, mode: str = "RGB", **options) -> bytes:
    """A photo of noise in a format; b"" where this Pillow does not write it."""
    noise = np.random.default_rng(1).integers(0, 256, (24, 20, 4), np.uint8)
    image = Image.fromarray(noise).convert("RGB").convert(mode)
    try:
        image.save(out := BytesIO(), kind, **options)
    except (KeyError, OSError, ValueError):
        return b""
    return out.getvalue()


def with_exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved("JPEG", exif=exif)


def frames(kind: str) -> bytes:
    return saved(kind, save_all=True, append_images=[Image.new("RGB", (20, 24))] * 3)


WHOLE = [photo for photo in (
    *(saved(kind) for kind in FORMATS), saved("JPEG", "L"), saved("JPEG", "CMYK"), saved("JPEG", progressive=True),
    saved("JPEG", "RGB", subsampling=0),
    with_exif(6), with_exif(99), saved("PNG", "P"), saved("PNG", "1"), saved("PNG", "I;16"), saved("PNG", "LA"), saved("PNG",
                                                                                                                       "RGBA"),
    saved("PNG", interlace=1), frames("PNG"), frames("WEBP"), saved("WEBP", lossless=True), saved("WEBP", "RGBA"),
    saved("BMP", "1"), saved("BMP", "P"),
    saved("BMP", "L")) if photo]
FOREIGN = [photo for photo in map(saved, OTHERS) if photo]


def decode(data: bytes) -> None:
    with bounded(Unreadable):
        pixels = decode_photo(data, 20_000_000)  # more may take longer than SECONDS
        assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.size


@pytest.mark.parametrize("whole", range(len(WHOLE)))
def test_whole_photos_are_decoded(whole):
    assert decode_photo(WHOLE[whole]).size


@fuzzed
@given(data=st.sampled_from(WHOLE).flatmap(damaged))
def test_damaged_photos(data):
    decode(data)


@fuzzed
@given(data=st.binary(max_size=200) | st.sampled_from(FOREIGN) | st.sampled_from(FOREIGN).flatmap(damaged)
       | st.builds(lambda one, two, at: one[:at] + two[at:], st.sampled_from(WHOLE), st.sampled_from([*WHOLE, *FOREIGN]),
                   st.integers(0, 200)))
def test_what_is_no_photo(data):
    decode(data)


@fuzzed
@given(kind=st.sampled_from(["PNG", "BMP", "JPEG", "WEBP", "GIF"]), width=st.integers(0, 2**32 - 1),
       height=st.integers(0, 2**32 - 1))
def test_a_header_that_promises_any_size(kind, width, height):
    data = bytearray(saved(kind))
    at, size, order = {"PNG": (16, 4, "big"), "BMP": (18, 4, "little"), "GIF": (6, 2, "little"), "WEBP": (26, 2, "little"),
                       "JPEG": (data.find(b"\xff\xc0") + 5, 2, "big")}[kind]
    for i, side in enumerate((height, width) if kind == "JPEG" else (width, height)):
        data[at + i * size:at + (i + 1) * size] = (side % 256**size).to_bytes(size, order)
    if kind == "PNG":
        data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    decode(bytes(data))


@fuzzed
@given(name=st.text(max_size=20))
def test_a_path_of_any_name(tmp_path_factory, name):
    with bounded(Unreadable):
        read_photo(tmp_path_factory.getbasetemp() / name if "\0" not in name else name)
