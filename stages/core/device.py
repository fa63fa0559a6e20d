"""The torch device of machine.device, checked before any work begins."""
import os

import torch

from stages.core.errors import UserError
from stages.core.params import Machine


def pick_device(machine: Machine) -> torch.device:
    """The device of auto, cpu, cuda or cuda:N; auto is the GPU if there is one. Raises UserError if there is no such GPU.

    Also makes torch deterministic: the same inputs, parameters and machine give the same bytes. On a GPU machine.deterministic
    may leave that out, and cuDNN then times its algorithms and takes the fastest.
    """
    name = machine.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"params.yaml: machine.device: {name!r} is not there, {torch.cuda.device_count()} GPUs are; "
                        "choose auto, cpu or another")
    same = machine.deterministic or device.type == "cpu"
    if same:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(same, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # costs a tenth of the speed, to expose bugs not present here
    torch.backends.cudnn.benchmark = not same
    return device
