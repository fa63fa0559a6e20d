"""What stands in for PReLU computes the same, bit by bit, whatever its slopes."""
import pytest
import torch
from torch import nn

from stages.exporting.onnx import Detector, Prelu


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
