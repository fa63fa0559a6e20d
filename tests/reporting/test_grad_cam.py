"""Grad-CAM shows where the network looked, for each photo from 0 to 1."""
import pytest
import timm
import torch
from torch import nn

from stages.modeling.networks import make_network
from stages.reporting.grad_cam import grad_cam, last_features
from tests.modeling.families import FAMILIES, height_of

CROPS = torch.randint(0, 255, (3, 64, 64, 3), dtype=torch.uint8)


class OneCorner(nn.Module):
    """Output 0 is the brightness of the upper left corner, output 1 that of the lower right."""

    def __init__(self):
        super().__init__()
        self.default_cfg = {"mean": (0, 0, 0), "std": (1, 1, 1)}
        self.stage = nn.AvgPool2d(8)
        self.feature_info = [{"module": "stage", "reduction": 8}]

    def forward(self, pixels):
        features = self.stage(pixels)
        return torch.stack([features[:, :, :4, :4].mean((1, 2, 3)), features[:, :, 4:, 4:].mean((1, 2, 3))], 1)


def test_it_looks_where_the_output_comes_from():
    crops = torch.full((2, 64, 64, 3), 10, dtype=torch.uint8)
    crops[:, :32, :32] = 250
    crops[:, 32:, 32:] = 250
    seen = grad_cam(OneCorner(), crops, torch.tensor([0, 1]))
    assert seen.shape == (2, 64, 64)
    assert seen.min() >= 0
    assert seen.max() == pytest.approx(1)
    for one in seen:  # the gradient is the mean over the places, so both bright corners speak, and the dark ones do not
        assert one[10, 10] > 5 * one[10, 53]


def test_a_network_of_timm_has_a_map_for_every_photo():
    network = timm.create_model("test_efficientnet", num_classes=3).eval()
    seen = grad_cam(network, CROPS, torch.tensor([0, 1, 2]))
    assert seen.shape == (3, 64, 64)
    assert (seen.max((1, 2)) <= 1).all()


@pytest.mark.parametrize("height, reduction", [(64, 16), (128, 32), (16, 4), (4, 2)])
def test_the_last_features_are_those_that_still_have_places(height, reduction):
    network = timm.create_model("test_efficientnet", num_classes=3)
    [stage] = [info for info in network.feature_info if network.get_submodule(info["module"]) is last_features(network, height)]
    assert stage["reduction"] == reduction


def test_a_network_whose_channels_come_last_has_no_map():
    network = timm.create_model("swin_tiny_patch4_window7_224", img_size=64, num_classes=3, embed_dim=24, depths=(1, 1),
                                num_heads=(1, 1))
    assert last_features(network, 64) is not None
    assert grad_cam(network.eval(), CROPS, torch.tensor([0, 1, 2])) is None


@pytest.mark.slow
@pytest.mark.parametrize("backbone", FAMILIES)
def test_no_family_of_networks_loses_the_page(backbone):
    height = height_of(backbone)
    network = make_network(backbone, 3, (height, height)).eval()
    crops = torch.randint(0, 255, (2, height, height, 3), dtype=torch.uint8)
    seen = grad_cam(network, crops, torch.tensor([0, 1]))
    assert seen is None or seen.shape == (2, height, height) and 0 <= seen.min() and seen.max() <= 1


def test_a_network_without_places_has_no_map():
    network = nn.Sequential(nn.Flatten(), nn.Linear(64 * 64 * 3, 3))
    network.default_cfg = {"mean": (0, 0, 0), "std": (1, 1, 1)}
    assert grad_cam(network, CROPS, torch.tensor([0, 1, 2])) is None
