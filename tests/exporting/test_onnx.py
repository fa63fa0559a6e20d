"""A network as ONNX computes the same: what stands in for PReLU to the bit, and heads that learn years."""
import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from stages.core.errors import UserError
from stages.exporting.onnx import Detector, Prelu, Probabilities, write_onnx
from stages.modeling.age_distribution import YearsHead
from stages.modeling.ordinal import OrdinalHead


@pytest.mark.parametrize("slopes", [(0.25, -0.5, 0.0), (1.3, -0.2, 0.5)])  # the second has one above 1
@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (7, 3)])
def test_it_is_prelu(slopes, shape):
    prelu = nn.PReLU(3)
    prelu.weight.data = torch.tensor(slopes)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Prelu(prelu.weight)(x), prelu(x))


def test_a_detector_holds_no_prelu_and_gives_what_the_network_gives():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.prelu1 = nn.Conv2d(3, 4, 3), nn.PReLU(4)

        def forward(self, x):
            return self.prelu1(self.conv(x))

    net, pixels = Net(), torch.full((1, 8, 8, 3), 200.0)
    want = net((pixels.permute(0, 3, 1, 2) - 127.5) / 128)
    detector = Detector(net)
    assert not any(isinstance(module, nn.PReLU) for module in detector.modules())
    assert torch.equal(detector(pixels), want)


class Features(nn.Module):
    """A network that ends in a head over years, as models of the losses that learn years do."""

    def __init__(self, head: nn.Module):
        super().__init__()
        self.pool, self.head = nn.AdaptiveAvgPool2d(4), head
        self.default_cfg = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}

    def forward(self, x):
        return self.head(self.pool(x).flatten(1))


@pytest.mark.parametrize("head, heads", [
    (YearsHead(48, (30, 60)), (3,)), (YearsHead(48, (30, 45, 60)), (4,)), (YearsHead(48, (30, 60), before=5), (3, 2, 3)),
    (OrdinalHead(48, (30, 60)), (3,)), (OrdinalHead(48, (30, 45, 60)), (4,))])
def test_heads_that_learn_years_give_the_same_probabilities_as_onnx(head, heads, tmp_path):
    torch.manual_seed(0)
    for weight in head.parameters():
        nn.init.normal_(weight)
    network = Probabilities(Features(head), heads).eval()
    crops = torch.randint(0, 256, (3, 16, 16, 3), dtype=torch.uint8)
    write_onnx(network, crops[:2], {0: "batch"}, "crops", ["probabilities"], {}, tmp_path / "a.onnx")
    [found] = onnxruntime.InferenceSession(tmp_path / "a.onnx").run(None, {"crops": crops.numpy()})
    np.testing.assert_allclose(found, network(crops).detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-6)


def test_a_network_that_cannot_be_exported_is_named(tmp_path):
    class Fickle(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(UserError, match="age-0: torch .* cannot export this network as ONNX"):
        write_onnx(Fickle(), torch.ones(2, 3), {0: "batch"}, "crops", ["probabilities"], {}, tmp_path / "age-0.onnx")
