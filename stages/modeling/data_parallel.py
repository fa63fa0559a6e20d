"""Data parallel training: the processes of one training share each batch, and step by the gradient of all of it.

Li et al., "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", 2020. stages/engine/group.py starts the
processes. A training in one process calls the same functions, which then leave everything as it is.
"""
from contextlib import nullcontext
from inspect import signature

import torch
from timm.layers import convert_sync_batchnorm
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from stages.core.errors import UserError

COPIES = next(name for name in ("forward_sync_buffers", "broadcast_buffers")  # the name in torch 2.15, and before
              if name in signature(DistributedDataParallel.__init__).parameters)  # of buffers in each step; they are equal


def processes() -> int:
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def rank() -> int:
    """This process's number, from 0. The first one alone writes files."""
    return distributed.get_rank() if processes() > 1 else 0


def share(rows):
    """This process's part of (N, ...), of which the first process has the first; equal, give or take one."""
    return rows[rank() * len(rows) // processes():(rank() + 1) * len(rows) // processes()]


def joined(part: Tensor) -> Tensor:
    """The parts of all processes, (B / processes, ...) each, in their order: (B, ...). Gradients flow to this one's alone."""
    if processes() == 1:
        return part
    parts = [torch.empty_like(part) for _ in range(processes())]
    distributed.all_gather(parts, part.detach().contiguous())
    parts[rank()] = part
    return torch.cat(parts)


def joined_unequal(part: Tensor) -> Tensor:
    """As joined, of parts of any length, on the host and without gradients."""
    if processes() == 1:
        return part
    parts = [None] * processes()
    distributed.all_gather_object(parts, part)
    return torch.cat(parts)


def of_the_first(value):
    """The first process's value, for all."""
    if processes() == 1:
        return value
    values = [value]
    distributed.broadcast_object_list(values)
    return values[0]


def synchronized(network: nn.Module, backbone: str, device: torch.device) -> nn.Module:
    """The network, with the statistics of batch normalisation over the whole batch, as one process has them.

    Raises UserError where torch cannot exchange them: on a CPU.
    """
    if processes() == 1 or not any(isinstance(layer, _BatchNorm) for layer in network.modules()):
        return network
    if device.type == "cpu":
        raise UserError(f"params.yaml: devices: {processes()}, and {backbone} has batch normalisation, whose statistics torch "
                        "exchanges between GPUs alone; set devices to 1, or machine.device to cuda")
    return convert_sync_batchnorm(network)


def parallel(network: nn.Module) -> nn.Module:
    """The network to train: its gradients become the mean over the processes. Make it anew when weights freeze or thaw."""
    return DistributedDataParallel(network, **{COPIES: False}) if processes() > 1 else network


def apart(network: nn.Module, last: bool):
    """Inside, backward() exchanges no gradients unless it is the step's last. network: of parallel()."""
    return nullcontext() if last or processes() == 1 else network.no_sync()
