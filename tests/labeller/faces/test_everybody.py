"""Everybody in a group is found, with and without masks, wherever they stand and however large the photo is."""
import numpy as np
import pandas as pd
import pytest
import torch

from labeller.faces.decoding import read_photo
from labeller.faces.detector import find_faces
from labeller.faces.everybody import find_everybody
from labeller.faces.selection import WITHIN, overlaps
from stages.core.params import read_params
from stages.faces.mtcnn import Cascade
from tests.conftest import ROOT

P = read_params(ROOT / "params.yaml").detect


@pytest.fixture(scope="module")
def cascade():
    return Cascade(torch.device("cpu"))


@pytest.fixture(scope="module")
def people(ran) -> list[np.ndarray]:
    """Four photos: two of people whom MTCNN finds, two of people whom only the second look finds."""
    boxes = pd.read_csv(ran.root / "data/boxes.csv")
    names = [name for how in ("mtcnn", "lenient") for name in boxes.photo[boxes.found == how][:2]]
    assert len(names) == 4
    return [read_photo(ran.root / "data/sample" / name) for name in names]


@pytest.fixture(scope="module")
def group(people) -> np.ndarray:
    """All four side by side."""
    return np.concatenate([people[i] for i in (0, 2, 1, 3)], axis=1)


def photos_of(faces: list, width: int) -> list[int]:
    """In which photo of the group the middle of each face lies, sorted."""
    return sorted(int((face[0] + face[2]) / 2 // width) for _, face in faces)


def test_who_wears_a_mask_is_found_beside_who_does_not(people, group, cascade):
    faces = find_everybody(group, cascade, P)
    assert photos_of(faces, people[0].shape[1]) == [0, 1, 2, 3]
    assert {how for how, _ in faces} == {"mtcnn", "lenient"}


def test_nobody_is_found_twice_and_the_largest_come_first(group, cascade):
    faces = [face for _, face in find_everybody(group, cascade, P)]
    for i, face in enumerate(faces[:-1]):
        assert (overlaps(face, np.array(faces[i + 1:]))[1] <= WITHIN).all()
    areas = [(face[2] - face[0]) * (face[3] - face[1]) for face in faces]
    assert areas == sorted(areas, reverse=True)


def test_a_large_photo_has_the_same_faces_in_its_own_pixels(people, group, cascade):
    double = group.repeat(2, axis=0).repeat(2, axis=1)
    assert double.shape[0] * double.shape[1] > 3_000_000
    large = np.concatenate([double, np.zeros_like(double)])  # more than LARGE
    faces = find_everybody(large, cascade, P)
    assert photos_of(faces, 2 * people[0].shape[1]) == [0, 1, 2, 3]


@pytest.fixture(scope="module")
def tight(ran) -> np.ndarray:
    """The inner four fifths of a face."""
    boxes = pd.read_csv(ran.root / "data/boxes.csv")
    face = boxes[(boxes.found == "mtcnn") & boxes.photo.str.contains("normal")].iloc[0]
    photo = read_photo(ran.root / "data/sample" / face.photo)
    across, down = (face.x1 - face.x0) // 10, (face.y1 - face.y0) // 10
    return photo[face.y0 + down : face.y1 - down, face.x0 + across : face.x1 - across].copy()


def test_a_face_that_fills_its_photo_is_found_too(tight, cascade):
    small = tight[::4, ::4].copy()
    [(how, found)] = find_everybody(small, cascade, P)
    assert how == "padded"
    assert (found[:2] < 0.05 * small.shape[0]).all() and (found[2:4] > 0.8 * np.array(small.shape[1::-1])).all()
    assert find_everybody(small, cascade, P.model_copy(update={"second_look": False})) == []


def test_a_face_that_fills_its_photo_has_the_box_that_the_pipeline_gives_it(tight, cascade):
    [row] = find_faces([tight], cascade, P)
    [(how, face)] = find_everybody(tight, cascade, P)
    assert (how, *(round(float(side)) for side in face[:4])) == row[:5]


def test_a_photo_of_nobody_has_no_faces(cascade):
    assert find_everybody(np.zeros((300, 400, 3), np.uint8), cascade, P) == []
