"""A crop shows the face with its margin, at the size and shape that were asked for."""
import numpy as np
import pytest

from labeller.faces.crop import crop_shape, cut_face
from stages.core.params import Crop


def crop(**changes) -> Crop:
    return Crop(**({"method": "face", "margin": 0.0, "height": 32, "aspect": 1.0} | changes))


@pytest.fixture
def photo():
    """(100, 80, 3): black, with a white face at (20, 30) to (60, 70)."""
    out = np.zeros((100, 80, 3), np.uint8)
    out[30:70, 20:60] = 255
    return out


BOX = (20, 30, 60, 70)


def test_without_a_margin_the_face_fills_the_crop(photo):
    assert (cut_face(photo, BOX, crop()) == 255).all()


def test_a_margin_is_a_share_of_the_face_on_each_side(photo):
    cut = cut_face(photo, BOX, crop(margin=0.25, height=60))
    assert cut.shape == (60, 60, 3)
    assert (cut[10:50, 10:50] == 255).all()
    assert cut.sum() == 40 * 40 * 3 * 255


@pytest.mark.parametrize("aspect", [0.75, 1.0, 1.5])
@pytest.mark.parametrize("method", ["face", "center", "photo"])
def test_every_method_gives_the_size_and_shape_asked_for(photo, method, aspect):
    p = crop(method=method, aspect=aspect)
    assert cut_face(photo, BOX, p).shape == (*crop_shape(p), 3) == (32, round(32 * aspect), 3)


def test_center_takes_the_middle_and_photo_all_of_it(photo):
    assert (cut_face(photo, (0, 0, 5, 5), crop(method="center")) == 255).all()  # the white square is the middle
    assert cut_face(photo, (0, 0, 5, 5), crop(method="photo", height=100, aspect=0.8)).tolist() == photo.tolist()


def test_what_lies_outside_the_photo_repeats_its_edge():
    photo = np.full((10, 10, 3), 9, np.uint8)
    assert (cut_face(photo, (-40, 5, 0, 45), crop(margin=0.5)) == 9).all()
