"""Freeze part of a network: its weights, and the running statistics of its batch normalisation."""
from itertools import chain

from torch import nn


def freeze(network: nn.Module, share: float, body: bool = False) -> None:
    """Set the network to training mode, except its frozen part.

    share: of the backbone's layers with weights, from the input on, to freeze, 0 to 1 (references R3 and P5 froze part of
    theirs). body: freeze all of the backbone, whatever `share` (R3's "melting": the head first, then all).
    """
    network.train()
    head = set(chain.from_iterable(part.modules() for part in parts_of_head(network)))
    layers = [layer for layer in network.modules() if layer not in head and list(layer.parameters(recurse=False))]
    frozen = set(layers if body else layers[: round(share * len(layers))])
    for layer in layers:
        layer.train(layer not in frozen)
        for weight in layer.parameters(recurse=False):
            weight.requires_grad_(layer not in frozen)
    for part in parts_of_head(network):
        part.train()  # a network with weights of its own, as ViT, is itself a layer, whose mode its head took


def parts_of_head(network: nn.Module) -> tuple[nn.Module, ...]:
    """The classifier of a timm model; two of a distilled one."""
    head = network.get_classifier()
    return head if isinstance(head, tuple) else (head,)
