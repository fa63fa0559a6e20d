"""The fit loop: epochs with early stopping, keeping the best one; a killed training resumes."""
import time
from collections.abc import Callable

import numpy as np
import torch
from dvclive import Live
from torch import Tensor, nn
from torch.utils.data import DataLoader

from stages.core.errors import UserError
from stages.core.metrics import macro_f1
from stages.core.model_params import Model
from stages.core.progress import duration
from stages.modeling import data_parallel
from stages.modeling.batch_norm import estimate_statistics
from stages.modeling.checkpoints import Resume
from stages.modeling.dataloader import combined_seed
from stages.modeling.multitask import class_logs
from stages.modeling.trainer import Epoch, Trainer, predict_logits


def fit(trainer: Trainer, train_loader: DataLoader, target: Tensor, resume: Resume, live: Live | None,
        score: Callable[[nn.Module], dict] | None = None, statistics: DataLoader | None = None) -> tuple[dict, list[dict]]:
    """Train, and return the weights of the best epoch and the curve, a row an epoch.

    target: (N,) class (or year) of each position of `train_loader`. score: gives "val/f1", "val/accuracy" and "val/loss" of
    a network; None: nothing is held out, and the last epoch is kept. statistics: crops over which those of batch
    normalisation are estimated anew after each epoch, or None. live: None in all processes but the first, which alone writes
    files. Raises UserError if the first epoch diverges.
    """
    p, curve, best, first = trainer.p, [], None, data_parallel.rank() == 0
    state = data_parallel.of_the_first(resume.load() if first else None)
    if state:
        curve, best = state["curve"], state["best"]
        trainer.load(state["trainer"])
        print(f"going on after epoch {len(curve)}, from {resume.path}")
        for row in curve:
            log_epoch(live, row)
    epochs, by = p.epochs, p.best if score else None
    while len(curve) < epochs and len(curve) - best_epoch(curve, by) < p.patience:
        epoch = train_loader.sampler.epoch = len(curve)
        other = [] if first else [data_parallel.rank()]
        torch.manual_seed(combined_seed(p.seed, epoch, *other))  # for dropout: the same draws after resuming
        lr, started = max(group["lr"] for group in trainer.optimizer.param_groups), time.monotonic()
        done = trainer.train_epoch(train_loader, target, f"epoch {epoch + 1} of {epochs}", epoch)
        if statistics:
            estimate_statistics(trainer.best_network, trainer.network, statistics, trainer.device)
        if what := find_divergence(done, trainer.best_network):
            report_divergence(f"{what} of epoch {epoch + 1}", best_epoch(curve, by), p)
            break
        row = {"train/loss": done.loss, **(score(trainer.best_network) if score else {}), "lr": lr}
        row = data_parallel.of_the_first(row)  # so that all end after the same epoch
        curve.append(row)
        if best_epoch(curve, by) == len(curve):
            best = {key: value.detach().cpu().clone() for key, value in trainer.best_network.state_dict().items()}
        if first:
            resume.save(trainer=trainer.state(), curve=curve, best=best)
        log_epoch(live, row)
        print(f"epoch {epoch + 1} of {epochs}: " + ", ".join(f"{key} {value:.4g}" for key, value in row.items())
              + f", {duration(time.monotonic() - started)}", flush=True)
    return best, curve


def log_epoch(live: Live | None, row: dict) -> None:
    if live is None:
        return
    for key, value in row.items():
        live.log_metric(key, value)
    live.next_step()


def validate(network: nn.Module, val_loader: DataLoader, target: Tensor, p: Model, device: torch.device) -> dict:
    """Loss, macro F1 and accuracy of a network on the validation set; target (N,) holds its classes."""
    logs = class_logs(data_parallel.joined_unequal(predict_logits(network, val_loader, device)), p.heads)
    guess = logs.argmax(1)
    return {"val/loss": float(torch.nn.functional.nll_loss(logs, target)), "val/f1": macro_f1(target, guess, p.classes.count),
            "val/accuracy": float((guess == target).float().mean())}


def find_divergence(done: Epoch, network: nn.Module) -> str | None:
    """Say what is not finite after an epoch, or None. The last step can break the weights without a loss that shows it."""
    if done.diverged_at:
        return f"the loss was not finite in step {done.diverged_at}"
    finite = torch.stack([weight.isfinite().all() for weight in network.state_dict().values()]).all()
    return None if finite else "weights were not finite after the last step"


def report_divergence(what: str, kept: int, p: Model) -> None:
    """Warn that training ends here; raises UserError if no epoch can be kept."""
    advice = f"lower lr, {p.lr}, or clip_grad, {p.clip_grad:g} (0 is no limit)"
    if not kept:
        raise UserError(f"{what}; {advice}")
    print(f"warning: {what}; training ends, and epoch {kept} is kept; {advice}", flush=True)


def best_epoch(curve: list[dict], by: str | None) -> int:
    """The best epoch, from 1, the earliest of equals; 0 if none yet. by: f1, accuracy or loss of validation; None: last."""
    if not (curve and by):
        return len(curve)
    values = np.array([row[f"val/{by}"] * (-1 if by == "loss" else 1) for row in curve])
    return 1 + int(np.argmax(np.nan_to_num(values, nan=-np.inf)))
