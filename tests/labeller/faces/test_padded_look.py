"""A face that fills its photo to the edge is found, in a photo of any size, and nothing is found where there is no face."""
import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from labeller.faces.decoding import read_photo
from labeller.faces.padded_look import SIDE, pad, padded_look, within
from labeller.faces.selection import main_face, overlaps
from stages.core.params import read_params
from stages.faces import mtcnn
from stages.faces.mtcnn import Cascade
from tests.conftest import ROOT

P = read_params(ROOT / "params.yaml").detect


@pytest.fixture(scope="module")
def cascade():
    return Cascade(torch.device("cpu"))


def tight(photo: np.ndarray, box, longer: int) -> tuple[np.ndarray, np.ndarray]:
    """The inner four fifths of a face, whose longer side has so many pixels, and the box of the whole face in it."""
    x0, y0, x1, y1 = box
    cut = np.round([x0 + 0.1 * (x1 - x0), y0 + 0.1 * (y1 - y0), x1 - 0.1 * (x1 - x0), y1 - 0.1 * (y1 - y0)]).astype(int)
    part = photo[cut[1]:cut[3], cut[0]:cut[2]]
    scale = longer / max(part.shape[:2])
    size = round(part.shape[1] * scale), round(part.shape[0] * scale)
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA), (np.array(box) - np.tile(cut[:2], 2)) * scale


@pytest.fixture(scope="module")
def faces(ran) -> list[tuple]:
    """Eight photos and the boxes of their faces."""
    boxes = pd.read_csv(ran.root / "data/boxes.csv")
    boxes = boxes[(boxes.found == "mtcnn") & boxes.photo.str.contains("train.*normal")].iloc[:8]
    assert len(boxes) == 8
    return [(read_photo(ran.root / "data/sample" / row.photo), (row.x0, row.y0, row.x1, row.y1)) for row in boxes.itertuples()]


@pytest.mark.parametrize("longer", [400, 200, 100, 60])
def test_a_face_without_surroundings_is_found_and_its_box_is_that_of_the_whole_face(faces, cascade, longer):
    shared = []
    for photo, box in faces:
        crop, wanted = tight(photo, box, longer)
        face = main_face(padded_look(crop[None], cascade, P)[0])
        shared.append(0 if face is None else overlaps(face, wanted[None])[0][0])
    assert np.mean(np.array(shared) > 0.55) >= 0.75, shared


def test_landmarks_are_in_pixels_of_the_photo(faces, cascade):
    crop, _ = tight(*faces[0], 100)
    face = main_face(padded_look(crop[None], cascade, P)[0])
    left_eye, right_eye, nose, *mouth = face[5:].reshape(5, 2)
    height, width, _ = crop.shape
    assert 0 <= left_eye[0] < nose[0] < right_eye[0] < width
    assert 0 <= max(left_eye[1], right_eye[1]) < nose[1] < min(mouth[0][1], mouth[1][1]) < height


def test_noise_scrambled_faces_and_plain_colours_hold_no_face(faces, cascade):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (count, count, 3), dtype=np.uint8) for count in (8, 25, 60)]
    photos = [cv2.resize(small, (100, 100), interpolation=cv2.INTER_CUBIC) for small in noise]
    for photo, box in faces[:4]:
        crop = cv2.resize(tight(photo, box, 200)[0], (200, 200))
        tiles = crop.reshape(5, 40, 5, 40, 3).swapaxes(1, 2).reshape(25, 40, 40, 3)[rng.permutation(25)]
        photos.append(tiles.reshape(5, 5, 40, 40, 3).swapaxes(1, 2).reshape(200, 200, 3))
    photos.append(np.full((60, 60, 3), 127, np.uint8))
    assert [len(padded_look(photo[None], cascade, P)[0]) for photo in photos] == [0] * len(photos)


def test_faces_do_not_depend_on_the_other_photos(faces, monkeypatch):
    monkeypatch.setattr(mtcnn, "CUTS", 64)
    monkeypatch.setattr(mtcnn, "PHOTOS", 2)
    cascade = Cascade(torch.device("cpu"), alone=False)
    crops = np.stack([cv2.resize(tight(photo, box, 90)[0], (80, 90)) for photo, box in faces[:3]])
    together = padded_look(crops, cascade, P)
    for crop, found in zip(crops, together):
        np.testing.assert_array_equal(padded_look(crop[None], cascade, P)[0], found)


@pytest.mark.parametrize("height, width", [(1, 1), (1, 3000), (3000, 2), (12, 700)])
def test_photos_of_strange_shapes_are_looked_at_in_bounded_memory(height, width):
    seen = []

    class Watched:
        def candidates(self, photos, min_face, thresholds):
            seen.append(photos.shape)
            return [np.zeros((0, 15), np.float32)] * len(photos)

    [faces] = padded_look(np.zeros((1, height, width, 3), np.uint8), Watched(), P)
    assert faces.shape == (0, 15)
    assert all(shape[1] * shape[2] <= 5 * SIDE ** 2 for shape in seen)


def test_the_border_has_the_mean_colour():
    photo = np.zeros((10, 20, 3), np.uint8)
    photo[:5] = 100, 50, 200
    out = pad(photo, 10, 20, 4)
    assert out.shape == (18, 28, 3)
    np.testing.assert_array_equal(out[4:-4, 4:-4], photo)
    np.testing.assert_array_equal(out[0], [[50, 25, 100]] * 28)


def test_a_face_in_the_border_is_none_of_the_photo():
    boxes = np.array([(-20, -20, 50, 50), (-60, 0, 40, 90), (60, 70, 150, 131)], float)
    assert within(boxes, 100, 100).tolist() == [True, False, False]
