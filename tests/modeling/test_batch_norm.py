"""The statistics of batch normalisation are those of the data under the weights that are scored; frozen layers keep theirs."""
import copy

import numpy as np
import pytest
import torch

from stages.core.face_store import Faces, write_faces
from stages.modeling.batch_norm import estimate_statistics
from stages.modeling.dataloader import Crops, loader
from stages.modeling.freezing import freeze
from stages.modeling.networks import Normalize, make_network

CPU, SIZE = torch.device("cpu"), (32, 32)


@pytest.fixture
def batches(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (48, *SIZE, 3)).astype(np.uint8)
    write_faces(tmp_path, [str(i) for i in range(48)], iter(pixels), SIZE)
    return loader(Crops(Faces(tmp_path), np.arange(48), SIZE), 16, 0, CPU)


def network():
    torch.manual_seed(0)
    return make_network("test_efficientnet", 3, SIZE)


def statistics(network) -> torch.Tensor:
    return torch.cat([value.flatten() for name, value in network.named_buffers() if "running" in name])


def test_they_are_the_means_over_the_batches(batches):
    net, seen = network().train(), []
    first = next(layer for layer in net.modules() if isinstance(layer, torch.nn.BatchNorm2d))
    handle = first.register_forward_hook(lambda layer, x, _: seen.append((x[0].mean((0, 2, 3)), x[0].var((0, 2, 3)))))
    estimate_statistics(net, net, batches, CPU)
    handle.remove()
    means, variances = (torch.stack(values).mean(0) for values in zip(*seen))
    assert len(seen) == 3
    torch.testing.assert_close(first.running_mean, means)
    torch.testing.assert_close(first.running_var, variances)


def test_a_network_whose_weights_moved_predicts_what_it_does_in_training_mode(batches):
    net = network().train()
    crops = Normalize(net)(next(iter(batches))[0])
    for _ in range(50):
        net(crops)
    with torch.no_grad():
        for weight in net.parameters():
            weight.mul_(1.5)  # the running statistics are of the old weights
        in_training = net(crops)
        stale = net.eval()(crops)
        net.train()
        estimate_statistics(net, net, batches, CPU)
        assert net.training
        fresh = net.eval()(crops)
    assert (fresh - in_training).abs().mean() < 0.2 * (stale - in_training).abs().mean()


def test_frozen_layers_keep_theirs_and_later_training_moves_the_others_as_before(batches):
    net = network()
    freeze(net, 0.5)
    before = copy.deepcopy(net)
    estimate_statistics(net, net, batches, CPU)
    kept = [torch.equal(old.running_mean, new.running_mean) for old, new in zip(before.modules(), net.modules())
            if isinstance(old, torch.nn.BatchNorm2d)]
    assert True in kept and False in kept
    assert all(layer.momentum == 0.1 for layer in net.modules() if isinstance(layer, torch.nn.BatchNorm2d))


def test_a_moving_average_gets_statistics_of_its_own_weights(batches):
    net = network().train()
    mean = copy.deepcopy(net).eval()
    with torch.no_grad():
        mean.conv_stem.weight.mul_(3)
    estimate_statistics(mean, net, batches, CPU)
    assert not mean.training and not torch.equal(statistics(mean), statistics(net))
    estimate_statistics(net, net, batches, CPU)
    torch.testing.assert_close(mean.bn1.running_mean, 3 * net.bn1.running_mean)


def test_a_network_without_batch_normalisation_stays_as_it_is(batches):
    net = make_network("test_vit", 3, SIZE).train()
    before = copy.deepcopy(net.state_dict())
    estimate_statistics(net, net, batches, CPU)
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
