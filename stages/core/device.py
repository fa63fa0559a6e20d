"""Where torch computes: machine.device, checked before any work begins."""
import os

import torch

from stages.core.errors import UserError


def pick_device(name: str) -> torch.device:
    """auto, cpu, cuda or cuda:N as a device; auto is the GPU where there is one.

    Also makes the run repeatable: the same inputs, parameters and machine give the same bytes.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # costs a tenth of the speed, for bugs that we lack
    torch.backends.cudnn.benchmark = False
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"params.yaml: machine.device: {name!r} is not there, {torch.cuda.device_count()} GPUs are; "
                        "choose auto, cpu or another")
    return device
