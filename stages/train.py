"""Train one model on all folds but one. Run: python -m stages.train MODEL FOLD

Reads   data/faces/, data/photos.csv, data/folds.csv, data/labels/<model>.csv and the model's section of params.yaml
Writes  models/<model>/<fold>/   weights.safetensors, model.json (settings), live/ (dvclive: loss, F1 and lr by epoch)

The best epoch is the one with the highest macro F1 over the whole held-out fold, by the official labels; moved age
borders and dropped ages change what is learnt, never what is scored. A training that was killed goes on from its last
finished epoch when it is run again, and ends in the same bytes.
"""
import hashlib
import sys
from pathlib import Path

import numpy as np
import torch
from dvclive import Live

from stages.lib.augment import Augment
from stages.lib.batches import Crops, loader, mixed
from stages.lib.checkpoints import Resume, key_of, save_model
from stages.lib.classes import VALUES
from stages.lib.device import pick_device
from stages.lib.engine import Trainer, predict_logits
from stages.lib.errors import UserError, run
from stages.lib.facefile import Faces
from stages.lib.files import read_csv
from stages.lib.losses import balanced, make_loss
from stages.lib.networks import start_network
from stages.lib.params import Model, read_model
from stages.lib.scoring import macro_f1
from stages.lib.targets import for_training, official


class Part:
    """One side of the split: rows of the container, and the class of each."""

    def __init__(self, table, rows, classes):
        self.rows, self.target = table.row.to_numpy()[rows], torch.from_numpy(classes[rows])


def read_parts(faces: Faces, name: str, fold: int, p: Model) -> tuple[Part, Part]:
    """The photos to learn from, with training targets, and those held out, with official ones."""
    table = read_csv(f"data/labels/{name}.csv", ["photo", p.attribute])
    table["row"] = table.photo.map({photo: row for row, photo in enumerate(faces.photos)})
    table = table.dropna(subset="row").astype({"row": int})  # a photo that could not be decoded has no crop
    people = read_csv("data/photos.csv", ["photo", "person"]).merge(read_csv("data/folds.csv", ["person", "fold"]))
    held_out = table.photo.map(people.set_index("photo").fold).astype(int).to_numpy() == fold
    target, kept = for_training(p, table[p.attribute])
    learn, check = Part(table, ~held_out & kept, target), Part(table, held_out, official(p.attribute, table[p.attribute]))
    for part, needed, what in ((learn, 2, "to learn from"), (check, 1, "held out")):
        if len(part.rows) < needed:
            raise UserError(f"params.yaml: {name}, fold {fold}: {len(part.rows)} photos {what}, at least {needed} are "
                            "needed; see split.n_folds" + f" and {name}.drop" * (p.attribute == "age"))
    return learn, check


def log_epoch(live: Live, row: dict) -> None:
    for key, value in row.items():
        live.log_metric(key, value)
    live.next_step()


def fit(trainer: Trainer, learn: Part, check: Part, faces: Faces, p: Model, size: tuple[int, int], resume: Resume,
        live: Live, workers: int):
    """Train to the last epoch or until patience ends. Returns the best epoch's weights, and the curve, a row an epoch."""
    device, classes = trainer.device, len(VALUES[p.attribute])
    learning = loader(Crops(faces, learn.rows, size, Augment(p.augment), p.seed), p.batch, workers, device, seed=p.seed)
    checking = loader(Crops(faces, check.rows, size), 2 * p.batch, workers, device)
    state, curve, best = resume.load(device), [], None
    if state:
        curve, best = state["curve"], state["best"]
        trainer.load(state["trainer"])
        print(f"going on after epoch {len(curve)}, from {resume.path}")
        for row in curve:
            log_epoch(live, row)
    while len(curve) < p.epochs and len(curve) - best_epoch(curve) < p.patience:
        epoch = learning.sampler.epoch = len(curve)
        torch.manual_seed(mixed(p.seed, epoch))  # dropout; the same whether the training was stopped or not
        lr = trainer.optimizer.param_groups[0]["lr"]
        loss = trainer.train_epoch(learning, learn.target, f"epoch {epoch + 1} of {p.epochs}")
        if not np.isfinite(loss):
            raise UserError(f"the loss became {loss} in epoch {epoch + 1}; lower lr, {p.lr}")
        logits = predict_logits(trainer.network, checking, device)
        row = {"train/loss": loss, "val/loss": float(torch.nn.functional.cross_entropy(logits, check.target)),
               "val/f1": macro_f1(check.target, logits.argmax(1), classes), "lr": lr}
        curve.append(row)
        if best_epoch(curve) == len(curve):
            best = {key: value.detach().cpu().clone() for key, value in trainer.network.state_dict().items()}
        resume.save(trainer=trainer.state(), curve=curve, best=best)
        log_epoch(live, row)
        print(f"epoch {epoch + 1}: " + ", ".join(f"{key} {value:.4g}" for key, value in row.items()), flush=True)
    return best, curve


def best_epoch(curve: list[dict]) -> int:
    """1 for the first; the earliest of equals; 0 before any."""
    return 1 + int(np.argmax([row["val/f1"] for row in curve])) if curve else 0


def main():
    name, fold = sys.argv[1], int(sys.argv[2])
    params, p = read_model(name)
    device, out = pick_device(params.machine.device), Path("models", name, str(fold))
    faces = Faces(Path("data/faces"))
    learn, check = read_parts(faces, name, fold, p)
    classes, size = len(VALUES[p.attribute]), faces.size_at(p.image_size)

    torch.manual_seed(p.seed)
    network = start_network(name, p, classes, size)
    loss = make_loss(p, balanced(learn.target, classes) if p.class_weights == "balanced" else None)
    trainer = Trainer(network, p, loss, max(1, len(learn.rows) // p.batch), device)
    inputs = [Path("data/labels", f"{name}.csv"), Path("data/folds.csv"), *([Path(p.weights)] if p.weights else [])]
    contents = [hashlib.sha256(file.read_bytes()).hexdigest() for file in inputs]
    resume = Resume(Path("models/.resume", f"{name}-{fold}.pt"), key_of(p.model_dump(), fold, faces.digest, contents))

    print(f"{name}, fold {fold}: {len(learn.rows)} photos to learn from, {len(check.rows)} held out, on {device}")
    with Live(str(out / "live"), dvcyaml=None, save_dvc_exp=False) as live:
        best, curve = fit(trainer, learn, check, faces, p, size, resume, live, params.machine.workers)
    settings = {"attribute": p.attribute, "backbone": p.backbone, "image_size": p.image_size, "classes": classes,
                "epochs": len(curve), "best_epoch": best_epoch(curve), "f1": curve[best_epoch(curve) - 1]["val/f1"]}
    save_model(best, settings, out)
    resume.clear()
    print(f"best: epoch {settings['best_epoch']}, macro F1 {settings['f1']:.3f} on the held-out fold")


if __name__ == "__main__":
    run(main)
