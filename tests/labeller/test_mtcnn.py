"""ONNX Runtime and NumPy find the boxes that torch finds."""
import numpy as np
import pytest
import torch

from labeller.bundle import Bundle
from labeller.faces.decoding import read_photo
from labeller.faces.detector import detect, find_faces
from labeller.mtcnn import nms
from stages.core.params import read_params
from stages.faces.mtcnn import Cascade, batched_nms
from tests.conftest import ROOT

P = read_params(ROOT / "params.yaml").detect


@pytest.fixture(scope="module")
def cascades(exported):
    return Cascade(torch.device("cpu")), Bundle(exported.root / "bundle/model").cascade


@pytest.fixture(scope="module")
def photos(exported) -> list[np.ndarray]:
    files = [f for f in sorted((exported.root / "data/sample/train").rglob("*.jpg")) if not f.name.startswith(".")]
    return [read_photo(file) for file in files[::4]]


def test_every_photo_has_the_same_row_in_boxes_csv(cascades, photos):
    rows, again = ([find_faces([photo], cascade, P)[0] for photo in photos] for cascade in cascades)
    assert {"mtcnn", "lenient"} <= {row[0] for row in rows}
    assert again == rows


def test_ready_crops_have_the_same_row_too(cascades, photos):
    crops = [np.ascontiguousarray(photo[150:360:each, 100:280:each]) for photo in photos[:8] for each in (1, 3)]
    rows, again = ([find_faces([crop], cascade, P)[0] for crop in crops] for cascade in cascades)
    assert [row[0] for row in rows].count("padded") >= 4
    assert again == rows


def test_landmarks_agree_and_lie_within_the_face(cascades, photos):
    for photo in photos[:8]:
        [(how, faces)], [(_, again)] = (detect([photo], cascade, P) for cascade in cascades)
        np.testing.assert_allclose(again[:, :4], faces[:, :4], atol=0.01)
        np.testing.assert_allclose(again[:, 5:], faces[:, 5:], atol=0.01)
        points = again[:, 5:].reshape(-1, 5, 2)
        assert ((points >= again[:, None, :2] - 5) & (points <= again[:, None, 2:4] + 5)).all(), how


@pytest.mark.parametrize("height, width", [(1, 1), (12, 12), (11, 500), (700, 13)])
def test_photos_without_a_face_have_none_whatever_their_size(cascades, height, width):
    [(how, faces)] = detect([np.full((height, width, 3), 127, np.uint8)], cascades[1], P)
    assert (how, faces.shape) == ("center", (0, 15))


def test_suppression_keeps_what_torchvisions_keeps():
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 100, (300, 2))
    boxes = np.hstack([corners, corners + rng.uniform(1, 60, (300, 2)), rng.random((300, 1))]).astype(np.float32)
    group = rng.integers(0, 3, 300)
    for overlap in (0.2, 0.5, 0.7):
        wanted = batched_nms(torch.from_numpy(boxes), torch.from_numpy(group), overlap).tolist()
        assert nms(boxes, overlap, group).tolist() == wanted
