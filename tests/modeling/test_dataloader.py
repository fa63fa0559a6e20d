"""Batches are the same whatever the workers, differ between epochs, and lose nobody in prediction."""
import numpy as np
import pytest
import torch

from stages.core.face_store import Faces, write_faces
from stages.modeling.augment import Augment
from stages.modeling.dataloader import Crops, loader

CPU = torch.device("cpu")


@pytest.fixture
def faces(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (11, 20, 16, 3)).astype(np.uint8)
    write_faces(tmp_path, [str(i) for i in range(11)], iter(pixels), (20, 16))
    return Faces(tmp_path)


def epoch(faces, workers: int, number: int, seed=7):
    batches = loader(Crops(faces, np.arange(11), (20, 16), Augment(["light"]), 7), 4, workers, CPU, seed)
    batches.sampler.epoch = number
    return list(batches)


def test_workers_change_nothing(faces):
    for (a, i), (b, j) in zip(epoch(faces, 0, 3), epoch(faces, 2, 3), strict=True):
        assert torch.equal(a, b)
        assert torch.equal(i, j)


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_draw_nothing_from_torchs_own_generator(faces, workers):
    """Dropout does, and would otherwise depend on the workers, and on whether a training was killed between two epochs."""
    torch.manual_seed(1)
    want = torch.rand(3)
    torch.manual_seed(1)
    epoch(faces, workers, 0)
    assert torch.equal(torch.rand(3), want)


def test_each_epoch_has_its_own_order_and_its_own_augmentation(faces):
    (_, i), (_, j) = epoch(faces, 0, 0)[0], epoch(faces, 0, 1)[0]
    assert not torch.equal(i, j)
    crops = Crops(faces, np.arange(11), (20, 16), Augment(["light"]), 7)
    assert not torch.equal(crops[(0, 0)][0], crops[(0, 1)][0])


def test_a_photo_that_an_epoch_draws_twice_is_augmented_anew(faces):
    one = np.where(np.arange(11) == 3, 1.0, 0.0)
    batches = loader(Crops(faces, np.arange(11), (20, 16), Augment(["light"]), 7), 11, 0, CPU, seed=1, weights=one)
    [(crops, positions)] = list(batches)
    assert set(positions.tolist()) == {3}
    assert len(crops.flatten(1).unique(dim=0)) == 11


def test_training_leaves_out_a_short_last_batch_and_prediction_none(faces):
    assert [len(i) for _, i in epoch(faces, 0, 0)] == [4, 4]
    in_order = loader(Crops(faces, np.arange(11), (20, 16)), 4, 0, CPU)
    assert torch.cat([i for _, i in in_order]).tolist() == list(range(11))


def test_crops_of_another_size_are_resized_and_stay_bytes(faces):
    crop, _ = Crops(faces, np.arange(11), (10, 8))[(0, 0)]
    assert crop.shape == (10, 8, 3)
    assert crop.dtype == torch.uint8


def test_weights_decide_how_often_each_is_drawn_anew_every_epoch(faces):
    weights = np.where(np.arange(11) < 2, 1.0, 0.0)
    batches = loader(Crops(faces, np.arange(11), (20, 16)), 4, 0, CPU, seed=1, weights=weights)
    drawn = torch.cat([i for _, i in batches])
    assert set(drawn.tolist()) == {0, 1}
    batches.sampler.epoch = 1
    assert drawn.tolist() != torch.cat([i for _, i in batches]).tolist()
