"""A photo of whatever kind is read upright and in colour, or the reason why not is given; nothing raises."""
import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from labeller.faces import decoding as photos
from labeller.faces.decoding import Unreadable, read_photo, read_photos


def gradient(width=40, height=60):
    return Image.fromarray(np.linspace(0, 255, width * height * 3).reshape(height, width, 3).astype(np.uint8))


@pytest.mark.parametrize("mode, suffix", [("RGB", "jpg"), ("L", "jpg"), ("CMYK", "jpg"), ("RGBA", "png"), ("P", "png"),
                                          ("LA", "png"), ("1", "png"), ("RGB", "webp"), ("RGB", "bmp")])
def test_every_colour_mode_becomes_rgb(tmp_path, mode, suffix):
    gradient().convert(mode).save(tmp_path / f"a.{suffix}")
    photo = read_photo(tmp_path / f"a.{suffix}")
    assert photo.shape == (60, 40, 3)
    assert photo.dtype == np.uint8
    assert photo[:20].mean() < photo[-20:].mean()  # as in the gradient, the top is darker


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_quick_decoder_gives_pillows_pixels(tmp_path, mode):
    noise = np.random.default_rng(0).integers(0, 255, (61, 43, 3)).astype(np.uint8)
    Image.fromarray(noise).convert(mode).save(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        np.testing.assert_array_equal(read_photo(tmp_path / "a.jpg"), np.asarray(image.convert("RGB")))


def test_what_the_quick_decoder_refuses_is_left_to_pillow(tmp_path, monkeypatch):
    gradient().save(tmp_path / "a.jpg")
    want = read_photo(tmp_path / "a.jpg")
    monkeypatch.setattr(photos.simplejpeg, "decode_jpeg", lambda *_, **__: (_ for _ in ()).throw(ValueError))
    np.testing.assert_array_equal(read_photo(tmp_path / "a.jpg"), want)


def test_of_an_animated_photo_the_first_frame_is_read(tmp_path):
    frames = [Image.new("RGB", (8, 8), color) for color in ("white", "black")]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert (read_photo(tmp_path / "a.webp") == 255).all()


def test_sixteen_bits_are_scaled_to_eight(tmp_path):
    Image.fromarray(np.full((5, 5), 0x8000, np.uint16)).save(tmp_path / "a.png")
    assert (read_photo(tmp_path / "a.png") == 0x80).all()


def test_a_photo_is_turned_upright_as_exif_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying: turn by 90 degrees
    gradient(40, 60).save(tmp_path / "a.jpg", exif=exif)
    assert read_photo(tmp_path / "a.jpg").shape == (40, 60, 3)


def test_damaged_exif_leaves_the_photo_as_it_is(tmp_path, monkeypatch):
    gradient().save(tmp_path / "a.jpg")
    monkeypatch.setattr(photos.ImageOps, "exif_transpose", lambda _: int("damaged"))
    assert read_photo(tmp_path / "a.jpg").shape == (60, 40, 3)


def broken(tmp_path, how: str):
    file = tmp_path / "a.jpg"
    gradient().save(file)
    if how == "truncated":
        file.write_bytes(file.read_bytes()[:-200])
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "text":
        file.write_text("not a photo")
    elif how == "absent":
        file.unlink()
    return file


@pytest.mark.parametrize("how", ["truncated", "empty", "text", "absent"])
def test_what_is_no_whole_photo_is_unreadable_with_a_reason(tmp_path, how):
    with pytest.raises(Unreadable, match=r"\w+"):
        read_photo(broken(tmp_path, how))


@pytest.mark.parametrize("name", ["a\0b.jpg", "\ud800.jpg", "x" * 300])
def test_a_name_that_no_file_can_have_is_unreadable(name):
    with pytest.raises(Unreadable, match=r"\w+"):
        read_photo(name)


def test_a_huge_photo_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    gradient().save(tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(Unreadable, match="40x60 pixels"):
        read_photo(tmp_path / "a.png", max_pixels=40 * 60 - 1)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_photos_come_in_order_and_a_broken_one_as_its_reason(tmp_path, workers):
    files = []
    for i in range(20):
        files.append(tmp_path / f"{i}.png")
        Image.new("RGB", (1 + i, 1), (i, i, i)).save(files[-1])
    files[7].write_text("broken")
    out = list(read_photos(files, workers))
    assert [x if isinstance(x, str) else x.shape[1] - 1 for x in out] == [*range(7), "not an image", *range(8, 20)]


@pytest.mark.parametrize("name, start", [
    ("GIF", None), ("TIFF", None), ("an icon", None), ("EPS", b"%!PS-Adobe-3.0 EPSF-3.0\n"), ("PDF", b"%PDF-1.7"),
    ("HEIC", b"\0\0\0\x18ftypheic"), ("AVIF", b"\0\0\0\x20ftypavif"), ("SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>")])
def test_other_formats_are_refused_by_their_content_whatever_their_name(tmp_path, name, start):
    file = tmp_path / "a.jpg"
    if start is None:
        gradient().save(file, format={"an icon": "ICO"}.get(name, name))
    else:
        file.write_bytes(start + bytes(99))
    with pytest.raises(Unreadable, match=f"^{name}, which is not read; convert it to one of JPEG, PNG, WEBP, BMP"):
        read_photo(file)


def test_an_icon_whose_frame_is_larger_than_its_header_says_is_not_decoded(tmp_path, monkeypatch):
    frame = BytesIO()
    Image.new("1", (3000, 3000)).save(frame, "PNG")
    head = struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 64, 64, 0, 0, 1, 32, frame.tell(), 22)
    (tmp_path / "a.jpg").write_bytes(head + frame.getvalue())
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(Unreadable, match="an icon"):
        read_photo(tmp_path / "a.jpg")
