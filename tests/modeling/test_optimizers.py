"""Each part of the network learns at its rate: the head at head_lr, and each layer at layer_decay times the next."""
import itertools

import pytest
import torch

from stages.modeling.lr_schedules import make_schedule
from stages.modeling.networks import make_network
from stages.modeling.optimizers import make_optimizer
from tests.sections import section

SIZE = (32, 32)


def rates(network, **changes) -> dict[str, float]:
    """The rate of each weight, by its name, as a share of lr."""
    p = section(backbone="test_efficientnet", lr=0.5, **changes)
    optimizer = make_optimizer(network, p)
    names = {weight: name for name, weight in network.named_parameters()}
    found = {names[weight]: group["lr"] / p.lr for group in optimizer.param_groups for weight in group["params"]}
    assert found.keys() == set(names.values())
    return found


@pytest.fixture(scope="module")
def network():
    return make_network("test_efficientnet", 3, SIZE)


def test_all_weights_learn_at_lr_unless_told_otherwise(network):
    assert set(rates(network).values()) == {1}


def test_the_head_has_a_rate_of_its_own(network):
    for name, rate in rates(network, head_lr=5).items():
        assert rate == pytest.approx(10 if name.startswith("classifier") else 1), name


def test_each_layer_learns_at_a_share_of_the_rate_of_the_next(network):
    found = rates(network, layer_decay=0.5)
    assert found["classifier.weight"] == found["conv_head.weight"] == 1
    steps = sorted({rate for rate in found.values()})
    assert len(steps) > 2
    assert all(later / earlier == pytest.approx(2) for earlier, later in itertools.pairwise(steps))
    assert found["conv_stem.weight"] == steps[0]


@pytest.mark.parametrize("changes", [{"layer_decay": 0.5}, {"head_lr": 0.1}])
def test_biases_and_norms_never_decay(network, changes):
    p = section(backbone="test_efficientnet", weight_decay=0.3, **changes)
    for group in make_optimizer(network, p).param_groups:
        for weight in group["params"]:
            assert group["weight_decay"] == (0.3 if weight.ndim > 1 else 0)


@pytest.mark.parametrize("changes", [{}, {"layer_decay": 0.5}, {"head_lr": 0.1}])
def test_what_a_transformer_does_not_want_decayed_never_is(changes):
    network = make_network("test_vit", 3, (160, 160))
    names = network.no_weight_decay()
    assert names
    spared = {id(weight) for name, weight in network.named_parameters() if name in names}
    for group in make_optimizer(network, section(backbone="test_vit", weight_decay=0.3, **changes)).param_groups:
        assert not (group["weight_decay"] and spared & {id(weight) for weight in group["params"]})


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine"])
def test_a_schedule_moves_every_rate_alike(network, schedule):
    p = section(backbone="test_efficientnet", lr=0.01, head_lr=0.1, schedule=schedule, epochs=4)
    optimizer = make_optimizer(network, p)
    plan = make_schedule(optimizer, p, 5)
    head = next(group for group in optimizer.param_groups if group["params"][0].shape[0] == 3)
    backbone = next(group for group in optimizer.param_groups if group is not head)
    peak = 0
    for _ in range(20):
        assert head["lr"] == pytest.approx(10 * backbone["lr"])
        peak = max(peak, head["lr"])
        optimizer.step()
        plan.step()
    assert peak == pytest.approx(0.1, rel=0.05)


def test_an_optimizer_with_groups_trains(network):
    p = section(backbone="test_efficientnet", layer_decay=0.5, head_lr=0.1)
    optimizer, before = make_optimizer(network, p), network.conv_stem.weight.detach().clone()
    network(torch.rand(4, 3, *SIZE)).square().sum().backward()
    optimizer.step()
    assert not torch.equal(network.conv_stem.weight, before)
