"""Where a network looked: Grad-CAM by captum, over the last features that still have a place.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017.
"""
import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam
from torch import Tensor, nn

from stages.modeling.networks import Normalize

LEAST = 4


def last_features(network: nn.Module, height: int) -> nn.Module | None:
    """The last stage whose features of a photo so high still have LEAST rows; None for a network that names no stages.

    Of small photos the very last stage of a network has too few places to tell one from another.
    """
    info = getattr(network, "feature_info", None) or []
    try:
        fine = [stage for stage in info if height / stage["reduction"] >= LEAST] or list(info[:1])
        return network.get_submodule(fine[-1]["module"]) if fine else None
    except (AttributeError, KeyError):
        return None


def grad_cam(network: nn.Module, crops: Tensor, output: Tensor) -> np.ndarray | None:
    """How much each place speaks for an output, (N, H, W) from 0 to 1, the most in each photo 1; None where it cannot be had.

    crops: (N, H, W, 3) uint8. output: (N,) which of the network's outputs.
    """
    layer = last_features(network, crops.shape[1])
    if layer is None or getattr(network, "output_fmt", "NCHW") != "NCHW":  # captum takes the second axis for the channels
        return None
    pixels = Normalize(network)(crops)
    try:
        maps = LayerGradCam(network, layer).attribute(pixels, target=output, relu_attributions=True)
    except Exception:  # noqa: BLE001 captum raises anything of layers that timm calls in its own way, and a map only explains
        return None
    if not isinstance(maps, Tensor) or maps.ndim != 4:  # some stages have several features
        return None
    maps = LayerAttribution.interpolate(maps.detach(), crops.shape[1:3], "bilinear")[:, 0]
    return (maps / maps.amax((1, 2), keepdim=True).clamp(min=torch.finfo(maps.dtype).tiny)).numpy()
