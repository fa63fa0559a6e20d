"""The batched cascade gives facenet-pytorch's own boxes, whatever else is in the batch, and never raises."""
import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN

from labeller.faces.decoding import read_photo
from labeller.faces.selection import overlaps
from stages.faces import mtcnn as module
from stages.faces.mtcnn import Cascade, batched_nms, filled

CPU = torch.device("cpu")
THRESHOLDS = (0.6, 0.7, 0.7)


@pytest.fixture(scope="module")
def cascade():
    return Cascade(CPU)


@pytest.fixture(scope="module")
def photos(ran) -> torch.Tensor:
    """(28, 512, 384, 3): drawn people, some with masks, and one photo of noise without a face."""
    files = sorted((ran.root / "data/sample").rglob("*.jpg"))
    files = [file for file in files if not file.name.startswith(".")][:27]
    noise = np.random.default_rng(0).integers(0, 255, (512, 384, 3)).astype(np.uint8)
    return torch.from_numpy(np.stack([*(read_photo(file) for file in files), noise]))


def facenet(photos: torch.Tensor, min_face: int) -> list[np.ndarray]:
    mtcnn = MTCNN(keep_all=True, min_face_size=min_face, thresholds=list(THRESHOLDS))
    boxes, scores, points = mtcnn.detect(photos.numpy(), landmarks=True)
    out = []
    for b, s, p in zip(boxes, scores, points):
        rows = np.zeros((0, 15)) if b is None else np.column_stack([b, s, p.reshape(-1, 10)]).astype(float)
        out.append(rows[np.argsort(-rows[:, 4])])
    return out


@pytest.mark.parametrize("min_face", [20, 60])
def test_boxes_and_scores_are_those_of_facenet_pytorch(cascade, photos, min_face):
    ours, theirs = cascade(photos, min_face, THRESHOLDS), facenet(photos, min_face)
    assert sum(map(len, theirs)) > len(photos) / 2
    for a, b in zip(ours, theirs):
        assert len(a) == len(b)
        np.testing.assert_allclose(a[:, :5], b[:, :5], atol=0.01)


def test_landmarks_are_those_of_facenet_pytorch_within_the_photo(cascade, photos):
    compared = 0
    for ours, theirs in zip(cascade(photos, 60, THRESHOLDS), facenet(photos, 60)):
        for face, other in zip(ours, theirs):
            if face[:2].min() > 20 and face[2] < 364 and face[3] < 492:
                np.testing.assert_allclose(face[6:], other[5:], atol=2)  # they leave out how a cut is rounded
                compared += 1
    assert compared > 3


def test_landmarks_are_right_where_the_face_leaves_the_photo(cascade, photos):
    def errors(find):
        out = []
        for photo, [face, *_] in zip(photos, [faces if len(faces) else [None] for faces in cascade(photos, 60, THRESHOLDS)]):
            if face is not None:
                left = int(face[0] + 0.15 * (face[2] - face[0]))  # the photo ends within the face
                for cut in find(photo[None, :, left:]):
                    moved = cut.reshape(5, 2) + (left, 0) - face[6:].reshape(5, 2)
                    out.append(np.abs(moved).mean() / (face[2] - face[0]))
        return np.array(out)
    ours = errors(lambda p: cascade(p.contiguous(), 60, THRESHOLDS)[0][:1, 6:])
    theirs = errors(lambda p: facenet(p, 60)[0][:1, 5:])
    assert len(ours) > 5
    assert ours.mean() < 0.9 * theirs.mean()


@pytest.mark.parametrize("alone", [True, False])
def test_a_photo_has_the_same_boxes_to_the_bit_alone_and_in_any_company(photos, alone, monkeypatch):
    monkeypatch.setattr(module, "PHOTOS", 4)
    monkeypatch.setattr(module, "CUTS", 64)
    cascade = Cascade(CPU, alone=alone)
    together = cascade(photos[:9], 60, THRESHOLDS)
    shuffled = cascade(photos[:9].flip(0), 60, THRESHOLDS)
    for i in range(9):
        [single] = cascade(photos[i : i + 1], 60, THRESHOLDS)
        np.testing.assert_array_equal(single, together[i])
        np.testing.assert_array_equal(single, shuffled[8 - i])


def test_batches_of_a_fixed_size_find_what_single_photos_find(cascade, photos):
    for one, other in zip(cascade(photos[:10], 60, THRESHOLDS), Cascade(CPU, alone=False)(photos[:10], 60, THRESHOLDS)):
        np.testing.assert_allclose(one, other, atol=0.01)


def test_half_precision_inside_the_networks_finds_the_faces_that_single_precision_finds(cascade, photos):
    ones, others = cascade(photos, 60, THRESHOLDS), Cascade(CPU, half=True)(photos, 60, THRESHOLDS)
    assert np.mean([len(a) == len(b) for a, b in zip(ones, others)]) > 0.9
    same = [overlaps(a[0, :4], b[:, :4])[0].max() for a, b in zip(ones, others) if len(a) and len(b)]
    assert np.mean(same) > 0.9
    assert max(same) < 1  # otherwise they did not compute in half precision


@pytest.mark.parametrize("height, width", [(1, 1), (11, 500), (12, 12), (40, 4000), (700, 13)])
def test_photos_without_a_face_give_no_box_whatever_their_size(cascade, height, width):
    [faces] = cascade(torch.full((1, height, width, 3), 127, dtype=torch.uint8), 20, (0.3, 0.3, 0.9))
    assert faces.shape == (0, 16)


def test_suppression_keeps_groups_apart_however_far_their_boxes_reach():
    boxes = torch.tensor([[0, 0, 10, 10, 0.9], [-500, 0, 10, 10, 0.8], [0, 0, 10, 11, 0.7], [0, 0, 10, 10, 0.6]])
    assert batched_nms(boxes, torch.tensor([0, 1, 0, 5]), 0.5).tolist() == [0, 1, 3]


def test_rows_are_filled_up_with_zeros():
    assert filled(torch.ones(2, 3), 4).tolist() == [[1, 1, 1], [1, 1, 1], [0, 0, 0], [0, 0, 0]]
    assert filled(torch.ones(2, 3), 2).shape == (2, 3)
