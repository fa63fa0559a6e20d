"""One training run: from a model's section of params.yaml to a folder of weights, settings and curves."""
import hashlib
from functools import partial
from pathlib import Path

import torch
from dvclive import Live

from stages.core.device import pick_device
from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.core.model_params import Model
from stages.core.params import read_model
from stages.modeling.checkpoints import Resume, run_digest, save_model
from stages.modeling.datamodule import loaders, make_mixing, read_datasets, statistics_loader
from stages.modeling.fit_loop import best_epoch, fit, validate
from stages.modeling.losses import make_loss
from stages.modeling.networks import first_line, head_of, start_network
from stages.modeling.trainer import Trainer

OVERSAMPLING = 1.5  # crop.height / image_size from which augmented crops are as sharp as plain ones, within a few percent


def train_model(name: str, fold: int | None, out: Path, epochs: int | None = None) -> None:
    """Train a model on all folds but `fold`, or on all people (None), and write it to `out`; epochs: or None, the section's."""
    params, p = read_model(name)
    p = p if epochs is None else shortened(p, epochs)
    device, faces = pick_device(params.machine.device), Faces(Path("data/faces"))
    train_set, val_set = read_datasets(faces, name, fold, p)
    size = faces.size_at(p.image_size)

    torch.manual_seed(p.seed)
    train_loader, val_loader = loaders(train_set, val_set, faces, p, size, device, params.machine.workers)
    trainer = Trainer(start_network(name, p, size), p, make_loss(p, train_set.target), len(train_loader), device,
                      make_mixing(p, train_set), params.machine.compile)
    statistics = statistics_loader(train_set, faces, p, size, device, params.machine.workers)
    score = None if fold is None else partial(validate, val_loader=val_loader, target=val_set.target, p=p, device=device)
    scope = "everyone" if fold is None else f"fold {fold}"
    print(f"{name}, {scope}: {len(train_set.rows)} photos to learn from, {len(val_set.rows)} held out, on {device}")
    if p.augment and faces.pixels.shape[1] < OVERSAMPLING * p.image_size:
        print(f"note: crops of {faces.pixels.shape[1]} pixels for {name}.image_size, {p.image_size}: augmentation blurs them; "
              f"{2 * p.image_size} (crop.height) would stay sharp")
    resume = Resume(Path("models/.resume", f"{name}-{'refit' if fold is None else fold}.pt"),
                    run_digest(p.model_dump(), fold, faces.digest, input_digests(name, p)))
    with Live(str(out / "live"), dvcyaml=None, save_dvc_exp=False) as live:
        try:
            best, curve = fit(trainer, train_loader, train_set.target, resume, live, score, statistics)
        except torch._dynamo.exc.TorchDynamoException as error:
            raise UserError(f"params.yaml: machine.compile: true, but torch cannot compile {p.backbone} here "
                            f"({first_line(error)}); set it to false") from None
    kept = best_epoch(curve, p.best if score else None)
    save_model(best, settings(p) | {"epochs": len(curve), "best_epoch": kept, "f1": curve[kept - 1].get("val/f1")}, out)
    resume.clear()
    print(f"kept: epoch {kept}" + (f", macro F1 {curve[kept - 1]['val/f1']:.3f} on the held-out fold" if score else ""))


def shortened(p: Model, epochs: int) -> Model:
    """The section with so many epochs: the schedule ends where the training does, and what comes first leaves one epoch."""
    first = {name: min(getattr(p, name), epochs - 1) for name in ("warmup", "freeze_epochs")}
    return p.model_copy(update={"epochs": epochs, **first})


def input_digests(name: str, p: Model) -> list[str]:
    """SHA-256 of each input file of a training besides the crops."""
    files = [f"data/{kind}/{name}.csv" for kind in ("labels", "extra")] + ["data/folds.csv", "data/photos.csv"]
    files += [p.weights] if p.weights else []
    return [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files]


def settings(p: Model) -> dict:
    """The settings that prediction needs, and those that the report shows."""
    ages = {"borders": p.borders, "drop": p.drop} if "age" in p.attributes else {}
    return {"attribute": p.attribute, "backbone": p.backbone, "image_size": p.image_size, "heads": p.heads,
            "last_layers": head_of(p), "arcface_scale": p.arcface_scale, "augment": p.augment,
            "augment_options": p.augment_options, "seed": p.seed, **ages}
