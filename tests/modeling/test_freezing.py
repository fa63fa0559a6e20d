"""A frozen layer stays as it is, to the bit, and a thawed one learns."""
import pytest
import timm
import torch
from torch import nn

from stages.modeling.freezing import freeze


@pytest.fixture
def network():
    torch.manual_seed(0)
    return timm.create_model("test_efficientnet", num_classes=3)


def moved(network) -> list[str]:
    """Names of the weights and running means that a step of training moves."""
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    nn.functional.cross_entropy(network(torch.randn(8, 3, 32, 32)), torch.arange(8) % 3).backward()
    optimizer.step()
    return [name for name, value in network.state_dict().items() if not torch.equal(value, before[name])]


def body(network) -> list[str]:
    return [name for name in network.state_dict() if not name.startswith("classifier") and "num_batches" not in name]


def test_nothing_is_frozen_by_a_share_of_none(network):
    freeze(network, 0)
    assert set(body(network)) <= set(moved(network))


@pytest.mark.parametrize("share", [0.25, 0.5, 1])
def test_that_share_of_the_layers_stays_from_the_input_on(network, share):
    freeze(network, share)
    names = body(network)
    still = [name not in set(moved(network)) for name in names]
    count = still.index(False) if False in still else len(still)
    assert all(still[:count])
    assert not any(still[count:])
    assert count == pytest.approx(share * len(names), abs=4)  # layers have one to four tensors


def test_the_head_learns_whatever_is_frozen(network):
    freeze(network, 0, body=True)
    assert moved(network) == ["classifier.weight", "classifier.bias"]


def test_what_was_frozen_thaws(network):
    freeze(network, 1, body=True)
    freeze(network, 0)
    assert set(body(network)) <= set(moved(network))


def test_the_head_trains_where_the_network_has_weights_of_its_own():
    network = timm.create_model("test_vit", num_classes=3, img_size=32)
    for share, body in ((0.3, False), (0, True)):
        freeze(network, share, body)
        assert network.get_classifier().training
        assert not network.training  # the first layer, its class token and positions, is the network itself
