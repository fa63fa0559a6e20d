"""The optimizer of a training, with a learning rate for each part of the network."""
import torch
from timm.optim import create_optimizer_v2, param_groups_layer_decay
from torch import nn

from stages.core.model_params import Model
from stages.modeling.freezing import parts_of_head

FUSED = ("sgd", "adam", "adamw")  # torch fuses these into one pass over the weights: 7 ms a step instead of 18


def make_optimizer(network: nn.Module, p: Model) -> torch.optim.Optimizer:
    """timm's optimizer by name, without weight decay of biases and norms. sgd has Nesterov momentum .9."""
    fused = {"fused": True} if p.optimizer in FUSED and not p.freeze_epochs else {}  # fused SGD takes no layers in later
    if p.layer_decay == 1 and p.head_lr is None:
        return create_optimizer_v2(network, p.optimizer, lr=p.lr, weight_decay=p.weight_decay, **fused)
    return create_optimizer_v2(parameter_groups(network, p), p.optimizer, lr=p.lr, weight_decay=0, **fused)


def parameter_groups(network: nn.Module, p: Model) -> list[dict]:
    """Groups of weights of one learning rate and weight decay each, from the input to the head.

    The backbone's last layer learns at p.lr, and each layer before it at p.layer_decay times the rate of the next, as in
    Bao et al., "BEiT", 2022; the head at p.head_lr, or p.lr. timm knows the order of a network's layers.
    """
    head = {weight for part in parts_of_head(network) for weight in part.parameters()}
    undecayed = network.no_weight_decay() if hasattr(network, "no_weight_decay") else ()  # positions of transformers
    decay = param_groups_layer_decay(network, p.weight_decay, no_weight_decay_list=undecayed, layer_decay=p.layer_decay)
    last = max(group["lr_scale"] for group in decay if not head.issuperset(group["params"]))
    groups = {}
    for group in decay:
        for weight in group["params"]:
            rate = (p.head_lr or p.lr) if weight in head else p.lr * group["lr_scale"] / last
            groups.setdefault((rate, group["weight_decay"]), []).append(weight)
    return [{"params": weights, "lr": rate, "weight_decay": decay} for (rate, decay), weights in groups.items()]
