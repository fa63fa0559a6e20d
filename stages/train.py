"""Train one model on all folds but one. Run: python -m stages.train MODEL FOLD

Reads   data/faces/, data/photos.csv, data/folds.csv, data/labels/<model>.csv and the model's section of params.yaml
Writes  models/<model>/<fold>/   weights.safetensors, model.json (settings), live/ (dvclive: loss, F1 and lr by epoch)

The best epoch is the one with the highest macro F1 (or accuracy, or lowest loss: `best`) over the whole held-out fold,
by the official labels; moved age borders and dropped ages change what is learnt, never what is scored. A training that
was killed goes on from its last finished epoch when it is run again, and ends in the same bytes. One whose loss is no
number any more ends there, and keeps its best epoch.
"""
import hashlib
import sys
from pathlib import Path

import numpy as np
import torch
from dvclive import Live

from stages.lib.batches import mixed
from stages.lib.checkpoints import Resume, key_of, save_model
from stages.lib.classes import VALUES
from stages.lib.device import pick_device
from stages.lib.engine import Trainer, predict_logits
from stages.lib.errors import UserError, run
from stages.lib.facefile import Faces
from stages.lib.losses import class_weight, make_loss
from stages.lib.networks import head_of, start_network
from stages.lib.params import Model, read_model
from stages.lib.parts import Part, loaders, make_mixing, read_parts
from stages.lib.scoring import macro_f1


def log_epoch(live: Live, row: dict) -> None:
    for key, value in row.items():
        live.log_metric(key, value)
    live.next_step()


def fit(trainer: Trainer, learn: Part, check: Part, learning, checking, p: Model, resume: Resume, live: Live):
    """Train to the last epoch or until patience ends. Returns the best epoch's weights, and the curve, a row an epoch."""
    classes, state, curve, best = len(VALUES[p.attribute]), resume.load(trainer.device), [], None
    if state:
        curve, best = state["curve"], state["best"]
        trainer.load(state["trainer"])
        print(f"going on after epoch {len(curve)}, from {resume.path}")
        for row in curve:
            log_epoch(live, row)
    while len(curve) < p.epochs and len(curve) - best_epoch(curve, p.best) < p.patience:
        epoch = learning.sampler.epoch = len(curve)
        torch.manual_seed(mixed(p.seed, epoch))  # dropout; the same whether the training was stopped or not
        lr = trainer.optimizer.param_groups[0]["lr"]
        done = trainer.train_epoch(learning, learn.target, f"epoch {epoch + 1} of {p.epochs}", epoch)
        if done.diverged_at:
            diverged(f"the loss was no number in step {done.diverged_at} of epoch {epoch + 1}", curve, p)
            break
        logits = predict_logits(trainer.best_network, checking, trainer.device)
        guess = logits.argmax(1)
        row = {"train/loss": done.loss, "val/loss": float(torch.nn.functional.cross_entropy(logits, check.target)),
               "val/f1": macro_f1(check.target, guess, classes),
               "val/accuracy": float((guess == check.target).float().mean()), "lr": lr}
        curve.append(row)
        if best_epoch(curve, p.best) == len(curve):
            best = {key: value.detach().cpu().clone() for key, value in trainer.best_network.state_dict().items()}
        resume.save(trainer=trainer.state(), curve=curve, best=best)
        log_epoch(live, row)
        print(f"epoch {epoch + 1}: " + ", ".join(f"{key} {value:.4g}" for key, value in row.items()), flush=True)
    return best, curve


def diverged(what: str, curve: list[dict], p: Model) -> None:
    """Say that training ended early; raises UserError where there is no epoch to keep."""
    advice = f"lower lr, {p.lr}, or clip_grad, {p.clip_grad:g} (0 is no limit)"
    if not curve:
        raise UserError(f"{what}; {advice}")
    print(f"warning: {what}; training ends, and epoch {best_epoch(curve, p.best)} is kept; {advice}", flush=True)


def best_epoch(curve: list[dict], by: str) -> int:
    """1 for the first; the earliest of equals; 0 before any. by: f1, accuracy or loss, of the held-out fold."""
    values = np.array([row[f"val/{by}"] * (-1 if by == "loss" else 1) for row in curve])
    return 1 + int(np.argmax(np.nan_to_num(values, nan=-np.inf))) if curve else 0


def main():
    name, fold = sys.argv[1], int(sys.argv[2])
    params, p = read_model(name)
    device, out = pick_device(params.machine.device), Path("models", name, str(fold))
    faces = Faces(Path("data/faces"))
    learn, check = read_parts(faces, name, fold, p)
    classes, size = len(VALUES[p.attribute]), faces.size_at(p.image_size)

    torch.manual_seed(p.seed)
    network = start_network(name, p, classes, size)
    loss = make_loss(p, class_weight(p, learn.target, classes))
    trainer = Trainer(network, p, loss, max(1, len(learn.rows) // p.batch), device, make_mixing(p, learn))
    learning, checking = loaders(learn, check, faces, p, size, device, params.machine.workers)
    inputs = [Path("data/labels", f"{name}.csv"), Path("data/folds.csv"), *([Path(p.weights)] if p.weights else [])]
    contents = [hashlib.sha256(file.read_bytes()).hexdigest() for file in inputs]
    resume = Resume(Path("models/.resume", f"{name}-{fold}.pt"), key_of(p.model_dump(), fold, faces.digest, contents))

    print(f"{name}, fold {fold}: {len(learn.rows)} photos to learn from, {len(check.rows)} held out, on {device}")
    with Live(str(out / "live"), dvcyaml=None, save_dvc_exp=False) as live:
        best, curve = fit(trainer, learn, check, learning, checking, p, resume, live)
    last = best_epoch(curve, p.best)
    settings = {"attribute": p.attribute, "backbone": p.backbone, "image_size": p.image_size, "classes": classes,
                "head": head_of(p), "arcface_scale": p.arcface_scale, "augment": p.augment, "seed": p.seed,
                "epochs": len(curve), "best_epoch": last, "f1": curve[last - 1]["val/f1"]}
    save_model(best, settings, out)
    resume.clear()
    print(f"best: epoch {last}, macro F1 {settings['f1']:.3f} on the held-out fold")


if __name__ == "__main__":
    run(main)
