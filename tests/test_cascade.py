"""The batched cascade gives facenet-pytorch's own boxes, whatever else is in the batch, and never raises."""
import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN

from stages.lib.cascade import Cascade, cells, cut, integral, shrink
from stages.lib.photos import read_photo

CPU = torch.device("cpu")
THRESHOLDS = (0.6, 0.7, 0.7)


@pytest.fixture(scope="module")
def cascade():
    return Cascade(CPU)


@pytest.fixture(scope="module")
def photos(ran) -> np.ndarray:
    """(28, 512, 384, 3): drawn people, some with masks, and one photo of noise without a face."""
    files = sorted((ran.root / "data/sample").rglob("*.jpg"))
    files = [file for file in files if not file.name.startswith(".")][:27]
    noise = np.random.default_rng(0).integers(0, 255, (512, 384, 3)).astype(np.uint8)
    return np.stack([*(read_photo(file) for file in files), noise])


def facenet(photos: np.ndarray, min_face: int) -> list[np.ndarray]:
    mtcnn = MTCNN(keep_all=True, min_face_size=min_face, thresholds=list(THRESHOLDS))
    boxes, scores = mtcnn.detect(photos)
    return [np.zeros((0, 5)) if b is None else np.column_stack([b, s]).astype(float) for b, s in zip(boxes, scores)]


@pytest.mark.parametrize("min_face", [20, 60])
def test_boxes_and_scores_are_those_of_facenet_pytorch(cascade, photos, min_face):
    ours, theirs = cascade(torch.from_numpy(photos), min_face, THRESHOLDS), facenet(photos, min_face)
    assert sum(map(len, theirs)) > len(photos) / 2
    for a, b in zip(ours, theirs):
        assert len(a) == len(b)
        np.testing.assert_allclose(a, b[np.argsort(-b[:, 4])], atol=0.01)


def test_a_photo_has_the_same_boxes_alone_and_in_any_company(cascade, photos):
    together = cascade(torch.from_numpy(photos), 40, THRESHOLDS)
    for i in (0, 5, len(photos) - 1):
        [alone] = cascade(torch.from_numpy(photos[i : i + 1]), 40, THRESHOLDS)
        np.testing.assert_allclose(alone, together[i], atol=0.01)


@pytest.mark.parametrize("height, width", [(1, 1), (11, 500), (12, 12), (40, 4000), (700, 13)])
def test_photos_without_a_face_give_no_box_whatever_their_size(cascade, height, width):
    [faces] = cascade(torch.full((1, height, width, 3), 127, dtype=torch.uint8), 20, (0.3, 0.3, 0.9))
    assert faces.shape == (0, 5)


def test_cuts_are_those_of_torchs_area_resize():
    photos = torch.randint(0, 256, (2, 60, 50, 3), dtype=torch.uint8)
    for x0, y0, x1, y1 in [(0, 0, 50, 60), (3, 5, 8, 9), (10, 20, 37, 59)]:
        part = photos[1:, y0:y1, x0:x1].permute(0, 3, 1, 2).float()
        want = torch.nn.functional.interpolate(part, size=(24, 24), mode="area").permute(0, 2, 3, 1)
        got = cut(integral(photos), torch.tensor([1]), torch.tensor([[x0, y0, x1, y1]]), 24)
        assert torch.equal(got, want)


def test_the_pyramid_is_that_of_torchs_area_resize():
    photos = torch.randint(0, 256, (2, 61, 47, 3), dtype=torch.uint8)
    want = torch.nn.functional.interpolate(photos.permute(0, 3, 1, 2).float(), size=(25, 19), mode="area")
    assert torch.equal(shrink(integral(photos), 25, 19), want.permute(0, 2, 3, 1))


def test_cells_cover_every_pixel():
    start, end = cells(17, 5, CPU)
    assert start[0] == 0
    assert end[-1] == 17
    assert (start[1:] <= end[:-1]).all()
