"""The second look finds faces, tells them from what is none, and is the same for a photo and its mirror image."""
import numpy as np
import pytest
import torch

from labeller.faces.decoding import read_photo
from labeller.faces.second_look import FACES, VIEWS, log_odds, mirror, second_look, view_boxes, vote
from labeller.faces.selection import overlaps
from stages.core.params import read_params
from stages.faces.mtcnn import Cascade
from tests.conftest import ROOT

P = read_params(ROOT / "params.yaml").detect


@pytest.fixture(scope="module")
def cascade():
    return Cascade(torch.device("cpu"))


@pytest.fixture(scope="module")
def photos(ran) -> np.ndarray:
    files = [f for f in sorted((ran.root / "data/sample/train").rglob("mask*.jpg")) if not f.name.startswith(".")][::5]
    return np.stack([read_photo(file) for file in files[:8]])


def look(photos, cascade):
    return [faces[faces[:, 4] >= P.lenient_evidence] for faces in
            second_look(photos, cascade, P.lenient_min_face, P.lenient_thresholds)]


def test_it_finds_the_faces_under_masks_that_the_cascade_is_sure_of(cascade, photos):
    sure = cascade(photos, P.min_face, P.thresholds)
    assert sum(map(len, sure)) >= len(photos) / 2
    for faces, again in zip(sure, look(photos, cascade)):
        for face in faces[:1]:
            assert overlaps(face, again)[0].max() > 0.6


def test_it_takes_nothing_in_a_scrambled_photo_for_a_face(cascade, photos):
    tiles = photos.reshape(len(photos), 8, 64, 6, 64, 3).swapaxes(2, 3).reshape(len(photos), 48, 64, 64, 3)
    order = torch.randperm(48, generator=torch.Generator().manual_seed(0)).numpy()
    scrambled = tiles[:, order].reshape(len(photos), 8, 6, 64, 64, 3).swapaxes(2, 3).reshape(photos.shape)
    assert sum(map(len, look(scrambled, cascade))) == 0


def test_a_photo_and_its_mirror_image_have_the_same_faces(cascade, photos):
    width = photos.shape[2]
    for faces, mirrored in zip(look(photos, cascade), look(np.ascontiguousarray(photos[:, :, ::-1]), cascade)):
        np.testing.assert_allclose(mirror(mirrored, width), faces, atol=0.05)


def test_boxes_that_agree_become_their_weighted_mean_and_the_most_supported_comes_first():
    alone = (300, 300, 400, 400, 0.9)
    a, b = (0, 0, 100, 100, 0.6), (10, 0, 110, 100, 0.2)
    got = vote(np.array([alone, a, b, a]))
    np.testing.assert_allclose(got, [(10 / 7, 0, 100 + 10 / 7, 100, 1.4), alone])


def test_landmarks_stay_on_the_side_of_the_face_where_they_are_seen():
    """Left in the photo is right in its mirror image."""
    eyes_nose_mouth = [(30, 40), (70, 41), (50, 60), (35, 80), (66, 81)]
    face = np.array([[0, 0, 100, 100, 0.9, *np.ravel(eyes_nose_mouth)]])
    mirrored = mirror(face, 200)
    assert mirrored[0, 5:].reshape(5, 2).tolist() == [[130, 41], [170, 40], [150, 60], [134, 81], [165, 80]]
    np.testing.assert_array_equal(mirror(mirrored, 200), face)


def test_few_faces_of_many_are_looked_at():
    many = np.array([(200 * i, 0, 200 * i + 100, 100, 0.5) for i in range(9)], float)
    assert len(vote(many)) == FACES
    assert vote(many[:0]).shape == (0, 5)


def test_views_lie_around_the_box_and_keep_its_shape_square():
    views = view_boxes(np.array([(100, 100, 200, 180, 1.0)]))
    assert views.shape == (len(VIEWS), 4)
    sides = views[:, 2:] - views[:, :2]
    np.testing.assert_allclose(sides[:, 0], sides[:, 1])
    np.testing.assert_allclose((views[:, :2] + views[:, 2:]).mean(0) / 2, (150, 140))


def test_the_odds_of_a_face_are_higher_than_those_of_a_place_beside_it(cascade, photos):
    found = cascade(photos, P.min_face, P.thresholds)
    i = next(i for i, faces in enumerate(found) if len(faces))
    faces = found[i][:1, :4]
    beside = faces - (faces[:, 2:] - faces[:, :2]).repeat(2, axis=1)[:, [0, 1, 0, 1]] * 0.8
    [(face, place)] = log_odds(photos[i : i + 1], [np.concatenate([faces, beside])], cascade)
    assert face > 0 > place


def test_photos_without_candidates_have_no_faces(cascade):
    assert [f.shape for f in look(np.full((2, 100, 100, 3), 127, np.uint8), cascade)] == [(0, 15), (0, 15)]
