"""The epoch loop: one pass over the training part, one over the photos to predict."""

import torch
from timm.optim import create_optimizer_v2
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR
from torch.utils.data import DataLoader
from tqdm import tqdm

from stages.lib.networks import Normalize
from stages.lib.params import Model

FUSED = ("sgd", "adam", "adamw")  # torch has these as one pass over the weights: a step in 7 ms instead of 18


def make_optimizer(network: nn.Module, p: Model) -> torch.optim.Optimizer:
    """timm's optimizer of that name; weight decay spares biases and norms. sgd has Nesterov momentum .9."""
    fused = {"fused": True} if p.optimizer in FUSED else {}
    return create_optimizer_v2(network, p.optimizer, lr=p.lr, weight_decay=p.weight_decay, **fused)


def make_schedule(optimizer: torch.optim.Optimizer, p: Model, steps: int) -> LRScheduler:
    """The learning rate over all `steps` of a training. one_cycle: Smith and Topin, "Super-Convergence", 2018."""
    if p.schedule == "one_cycle":
        return OneCycleLR(optimizer, p.lr, total_steps=steps + 1)
    if p.schedule == "cosine":
        return CosineAnnealingLR(optimizer, steps)
    return torch.optim.lr_scheduler.ConstantLR(optimizer, 1, steps)


def mixed_precision(device: torch.device):
    """bfloat16 inside the network on a GPU: as fast as float16 there, and no loss scaling is needed."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


class Trainer:
    """A network with its optimizer and schedule, and what a checkpoint keeps of them."""

    def __init__(self, network: nn.Module, p: Model, loss: nn.Module, steps_an_epoch: int, device: torch.device):
        self.device = device
        self.network = network.to(device, memory_format=torch.channels_last)
        self.normalize, self.loss = Normalize(network).to(device), loss.to(device)
        self.optimizer = make_optimizer(network, p)
        self.schedule = make_schedule(self.optimizer, p, max(1, p.epochs * steps_an_epoch))

    def train_epoch(self, batches: DataLoader, target: Tensor, title: str) -> float:
        """One epoch; target (N,) holds the class of each position. Returns the mean loss."""
        self.network.train()
        total, count = torch.zeros((), device=self.device), 0
        for crops, position in tqdm(batches, title, unit="batch", mininterval=1, leave=False):
            crops = crops.to(self.device, non_blocking=True)
            with mixed_precision(self.device):
                logits = self.network(self.normalize(crops))
            loss = self.loss(logits.float(), target[position].to(self.device, non_blocking=True))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            total += loss.detach() * len(crops)
            count += len(crops)
        return float(total) / max(1, count)

    def state(self) -> dict:
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict()}

    def load(self, state: dict) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])


@torch.inference_mode()
def predict_logits(network: nn.Module, batches: DataLoader, device: torch.device, flip: bool = False) -> Tensor:
    """Logits (N, C) float32 on the host, in the order of the positions; `flip` shows the photos mirrored."""
    network.eval()
    normalize, out = Normalize(network).to(device), []
    for crops, _ in batches:
        pixels = normalize(crops.to(device, non_blocking=True))
        with mixed_precision(device):
            out.append(network(pixels.flip(3) if flip else pixels).float())
    return torch.cat(out).cpu() if out else torch.zeros(0)
