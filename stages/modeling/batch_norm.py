"""Statistics of batch normalisation, estimated anew for the weights that are scored.

In training, the running mean and variance follow the weights with a delay of some ten steps. While the learning rate is
high the weights have moved on by then, and a network that learnt well scores like chance. Wu and Johnson, "Rethinking
'Batch' in BatchNorm", 2021, section 3: the mean over many batches, all with the same weights ("PreciseBN").
"""
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader

from stages.modeling.networks import Normalize


@torch.no_grad()
def estimate_statistics(network: nn.Module, trained: nn.Module, batches: DataLoader, device: torch.device) -> None:
    """Set the network's running statistics to the means over `batches` of each batch's mean and variance.

    trained: the network itself, or that of which it is a moving average; layers that are not in training mode there are
    frozen, and keep their statistics. batches: of (crops (B, H, W, 3) uint8, position), without augmentation of training.
    """
    layers = [layer for layer, origin in zip(network.modules(), trained.modules())
              if isinstance(layer, _BatchNorm) and origin.training]
    if not layers:
        return
    modes, momenta = {part: part.training for part in network.modules()}, [layer.momentum for layer in layers]
    network.eval()  # without dropout, as it is scored
    for layer in layers:
        layer.train()
        layer.reset_running_stats()
        layer.momentum = None  # a plain mean over the batches instead of a moving one
    normalize = Normalize(network).to(device)
    for crops, _ in batches:
        network(normalize(crops.to(device, non_blocking=True)))
    for layer, momentum in zip(layers, momenta):
        layer.momentum = momentum
    for part, mode in modes.items():
        part.training = mode
