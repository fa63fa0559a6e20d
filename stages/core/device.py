"""The torch device of machine.device, checked before any work begins."""
import os
import re
import tempfile
from pathlib import Path

import torch

from stages.core.errors import UserError
from stages.core.params import Machine

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

LEASES: dict[int, int] = {}  # the open lock file of the GPU that this process has, until it ends


def free_gpu(count: int) -> int:
    """A GPU of `count` that no other stage of this user took here, as far as there is one, for as long as this process runs.

    So the experiments of a queue spread over the GPUs; those that find none free share them, by the number of their process.
    A stage that sees one GPU alone, as by CUDA_VISIBLE_DEVICES, takes that without asking.
    """
    if count == 1 or fcntl is None:
        return 0
    if LEASES:
        return min(LEASES)
    names = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    for gpu in range(count):
        name = re.sub(r"\W", "-", names[gpu]) if len(names) == count else gpu
        file = os.open(Path(tempfile.gettempdir(), f"gpu-{name}-of-{os.getuid()}.lock"), os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
        else:
            LEASES[gpu] = file
            return gpu
    return os.getpid() % count


def pick_device(machine: Machine) -> torch.device:
    """The device of auto, cpu, cuda or cuda:N; auto is the GPU if there is one. Raises UserError if there is no such GPU.

    Also makes torch deterministic: the same inputs, parameters and machine give the same bytes. On a GPU machine.deterministic
    may leave that out, and cuDNN then times its algorithms and takes the fastest.
    """
    name = machine.device
    if name == "auto":
        name = f"cuda:{free_gpu(torch.cuda.device_count())}" if torch.cuda.is_available() else "cpu"
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
