"""Keep part of a network as it is: its weights, and the running means of its batch normalisation."""
from itertools import chain

from torch import nn


def freeze(network: nn.Module, share: float, body: bool = False) -> None:
    """Set the network to train, all but its frozen part.

    share: of the backbone's layers with weights, from the input on, that never learn (0 to 1; references R3 and P5 froze
    part of theirs). body: none of the backbone learns now, whatever `share` (R3's "melting": the head first, then all).
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
        part.train()  # a network with weights of its own, as ViT, is a layer that holds its head


def parts_of_head(network: nn.Module) -> tuple[nn.Module, ...]:
    """The classifier of a timm model, or its two, as those with distillation have."""
    head = network.get_classifier()
    return head if isinstance(head, tuple) else (head,)
