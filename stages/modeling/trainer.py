"""The Trainer (network, optimizer, schedule, moving average) of one epoch, and prediction."""
from math import ceil
from typing import NamedTuple

import torch
from timm.utils import ModelEmaV3
from torch import Tensor, nn
from torch.nn.functional import one_hot
from torch.utils.data import DataLoader

from stages.core.model_params import Model
from stages.core.progress import progress
from stages.modeling import data_parallel
from stages.modeling.freezing import freeze
from stages.modeling.lr_schedules import make_schedule
from stages.modeling.mixup import Mixing
from stages.modeling.networks import Normalize
from stages.modeling.optimizers import make_optimizer


def mixed_precision(device: torch.device):
    """bfloat16 autocast on a GPU: as fast as float16, without loss scaling."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


class Epoch(NamedTuple):
    """Result of a training epoch: the mean loss, and the first step (from 1) whose loss is not finite, or None."""

    loss: float
    diverged_at: int | None


class Trainer:
    """A network with its optimizer, schedule and moving average; `state` and `load` are for checkpoints.

    batches: those of an epoch. mixing: None, or Mixing of stages/modeling/mixup.py. compiled: compile the network first,
    which takes a minute and makes each step faster.
    """

    def __init__(self, network: nn.Module, p: Model, loss: nn.Module, batches: int, device: torch.device,
                 mixing: Mixing | None = None, compiled: bool = False):
        self.p, self.device, self.mixing, self.batches = p, device, mixing, batches
        self.network = network.to(device, memory_format=torch.channels_last)
        self.compiled, self.body = compiled, None
        self.normalize, self.loss = Normalize(network).to(device), loss.to(device)
        self.optimizer = make_optimizer(network, p)
        self.schedule = make_schedule(self.optimizer, p, ceil(batches / p.grad_accum_steps))
        self.ema = ModelEmaV3(self.network, decay=p.ema, use_warmup=True) if p.ema else None
        self.prepare(body=p.freeze_epochs > 0)

    @property
    def best_network(self) -> nn.Module:
        """The network to score and keep: the moving average of the weights if there is one."""
        return self.ema.module if self.ema else self.network

    def train_epoch(self, batches: DataLoader, target: Tensor, title: str, epoch: int = 0) -> Epoch:
        """Train for epoch `epoch`, from 0; target (N,): class (or year) of each position. A NaN never stops it midway."""
        self.prepare(body=epoch < self.p.freeze_epochs)
        total, count = torch.zeros((), device=self.device), 0
        finite = torch.zeros((), dtype=torch.long, device=self.device)  # steps before the first with a non-finite loss
        target, together = target.to(self.device), self.p.grad_accum_steps
        for step, (crops, position) in enumerate(progress(batches, title, unit="batch", summary=False)):
            first = step // together * together
            members = min(together, len(batches) - first)  # the last step of an epoch may have fewer
            last = step == first + members - 1
            with data_parallel.apart(self.parallel, last):
                loss = self.backward(crops, position, target, epoch * self.batches + step, members)
            if last:
                self.update(epoch * ceil(self.batches / together) + step // together)
            total += loss * len(crops)
            count += len(crops)
            finite += torch.isfinite(total)  # read once an epoch, so that no step waits for the GPU
        finite = int(finite)
        return Epoch(float(total) / max(1, count), finite + 1 if finite < len(batches) else None)

    def prepare(self, body: bool) -> None:
        """Freeze what an epoch leaves as it is. body: all of the backbone.

        Several processes share the gradients anew in each epoch: DDP sorts them after its first step, so a training that
        goes on after an epoch would add them in another order than one that never stopped.
        """
        freeze(self.network, self.p.frozen, body)
        if body != self.body or data_parallel.processes() > 1:
            self.body, self.parallel = body, data_parallel.parallel(self.network)
            self.forward = torch.compile(self.parallel) if self.compiled else self.parallel

    def backward(self, crops: Tensor, position: Tensor, target: Tensor, batch: int, members: int = 1) -> Tensor:
        """Add the gradients of a batch, crops (B, H, W, 3) uint8, the `batch`th of all, to those of the step, which has so
        many members. target: (N,) on the device. Returns the loss.

        Of several processes each has its part of the crops. The loss is of the whole batch, since the classes of one part
        weigh the photos of the others, and photos are mixed with those of other parts."""
        crops, where = crops.to(self.device, non_blocking=True), position.to(self.device, non_blocking=True)
        where = data_parallel.joined(where)
        goal = target[where]
        if self.mixing:
            position = position if data_parallel.processes() == 1 else where
            pixels, goal = self.mixing(self.normalize(data_parallel.joined(crops)),
                                       one_hot(goal, self.p.targets).float(), position, batch)
            pixels = data_parallel.share(pixels)
        else:
            pixels = self.normalize(crops)
        with mixed_precision(self.device):
            logits = self.forward(pixels)
        loss = self.loss(data_parallel.joined(logits.float()), goal)
        (loss * data_parallel.processes() / members).backward()  # of which `parallel` takes the mean over the processes
        return loss.detach()

    def update(self, step: int) -> None:
        """Change the weights by the gradients collected; `step` counts from 0 over the training."""
        if self.p.clip_grad:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.p.clip_grad)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.schedule.step()
        if self.ema:
            self.ema.update(self.network, step=step + 1)  # the decay warms up, or the random start would stay in the mean

    def state(self) -> dict:
        parts = {"network": self.network, "optimizer": self.optimizer, "schedule": self.schedule}
        return {name: part.state_dict() for name, part in (parts | ({"ema": self.ema} if self.ema else {})).items()}

    def load(self, state: dict) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        if self.ema:
            self.ema.load_state_dict(state["ema"])


@torch.inference_mode()
def predict_logits(network: nn.Module, batches: DataLoader, device: torch.device, flip: bool = False) -> Tensor:
    """Logits (N, C) float32 on the host, in the order of `batches`; `flip` mirrors the photos."""
    network.eval()
    normalize, out = Normalize(network).to(device), []
    for crops, _ in batches:
        pixels = normalize(crops.to(device, non_blocking=True))
        with mixed_precision(device):
            out.append(network(pixels.flip(3) if flip else pixels).float())
    return torch.cat(out).cpu()
