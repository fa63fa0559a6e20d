"""Processes that share each batch get each photo of it once, augmented as one process has it."""
from itertools import chain

import numpy as np
import pytest
import torch
from torch import nn

from stages.core.errors import UserError
from stages.core.face_store import Faces, write_faces
from stages.modeling import data_parallel
from stages.modeling.augment import Augment
from stages.modeling.dataloader import Crops, loader
from stages.modeling.datamodule import LabelledCrops, loaders
from tests.sections import section

CPU = torch.device("cpu")


@pytest.fixture
def of_several(monkeypatch):
    """A function that makes this process one of several."""
    def become(rank: int, processes: int) -> None:
        monkeypatch.setattr(data_parallel, "rank", lambda: rank)
        monkeypatch.setattr(data_parallel, "processes", lambda: processes)
    return become


@pytest.fixture
def crops(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (21, 20, 16, 3)).astype(np.uint8)
    write_faces(tmp_path, [str(i) for i in range(21)], iter(pixels), (20, 16))
    return Crops(Faces(tmp_path), np.arange(21), (20, 16), Augment(["light"]), 7)


@pytest.mark.parametrize("weights", [None, np.arange(21) < 3.0])
@pytest.mark.parametrize("processes", [2, 4])
def test_the_shares_of_a_batch_are_the_batch_of_one_process(crops, of_several, processes, weights):
    """With weights, an epoch draws a photo several times, and augments each copy in another way."""
    whole = list(loader(crops, 8, 0, CPU, seed=1, weights=weights, shared=True))
    shares = []
    for rank in range(processes):
        of_several(rank, processes)
        shares.append(list(loader(crops, 8, 0, CPU, seed=1, weights=weights, shared=True)))
    assert len(whole) == 2
    for (pixels, position), *parts in zip(whole, *shares, strict=True):
        assert torch.equal(torch.cat([part[0] for part in parts]), pixels)
        assert torch.equal(torch.cat([part[1] for part in parts]), position)


def test_a_batch_that_does_not_divide_loses_its_rest(crops, of_several):
    of_several(1, 2)
    [(_, position)] = loader(crops, 100, 0, CPU, seed=1, shared=True)  # of 21 photos
    assert len(position) == 10


def test_fewer_photos_than_processes_are_one_line(crops, of_several):
    of_several(0, 32)
    with pytest.raises(UserError, match="devices: 32 share a batch, and there are 21 photos; set devices to 1"):
        loader(crops, 32, 0, CPU, seed=1, shared=True)


@pytest.mark.parametrize("length", [0, 1, 5, 7, 9])
def test_every_held_out_photo_is_in_one_share(of_several, length):
    shares = []
    for rank in range(3):
        of_several(rank, 3)
        shares.append(data_parallel.share(list(range(length))))
    assert list(chain.from_iterable(shares)) == list(range(length))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_fewer_held_out_photos_than_processes_are_one_line(crops, of_several):
    of_several(0, 4)
    learnt, held_out = (LabelledCrops(np.arange(count), torch.zeros(count, dtype=int), *[np.zeros(count)] * 3)
                        for count in (16, 3))
    with pytest.raises(UserError, match="devices: 4 share the 3 photos held out; set devices to 3 or fewer"):
        loaders(learnt, held_out, crops.faces, section(batch=4), (20, 16), CPU, 0)


def test_batch_normalisation_is_refused_where_its_statistics_cannot_be_exchanged(of_several):
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    assert data_parallel.synchronized(network, "small", CPU) is network
    of_several(0, 2)
    with pytest.raises(UserError, match="devices: 2, and small has batch normalisation, whose statistics torch exchanges"):
        data_parallel.synchronized(network, "small", CPU)
    assert any(isinstance(layer, nn.SyncBatchNorm)
               for layer in data_parallel.synchronized(network, "small", torch.device("cuda")).modules())
