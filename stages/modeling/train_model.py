"""One training run: from a model's section of params.yaml to a folder of weights, settings and curves."""
import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from math import ceil
from pathlib import Path
from statistics import median

import torch
from dvclive import Live

from stages.core.classes import AGE
from stages.core.command_line import lacks_memory
from stages.core.device import pick_device
from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.core.model_params import Model
from stages.core.params import Machine, check_devices, read_model
from stages.engine.cluster import on_cluster, once, workers_beside
from stages.engine.group import together
from stages.modeling import data_parallel
from stages.modeling.batch_norm import estimate_statistics
from stages.modeling.checkpoints import Resume, run_digest, save_model
from stages.modeling.datamodule import loaders, make_mixing, read_datasets, statistics_loader
from stages.modeling.fit_loop import best_epoch, fit, validate
from stages.modeling.freezing import freeze
from stages.modeling.losses import make_loss
from stages.modeling.networks import first_line, head_of, start_network
from stages.modeling.trainer import Trainer

OVERSAMPLING = 1.5  # crop.height / image_size from which augmented crops are as sharp as plain ones, within a few percent


def train_anywhere(machine: Machine, p: Model, *words) -> None:
    """As train_model: here, by a node of a cluster, or by p.devices together; if one is lost, after its last epoch again."""
    check_devices(machine, p, words[0])
    function, threads = "stages.modeling.train_model.train_model", torch.get_num_threads()
    if p.devices > 1:
        together(function, words, machine, p.devices, threads)
    elif on_cluster(machine):
        once(function, words, machine, threads)
    else:
        train_model(*words)


def train_model(name: str, fold: int | None, out: Path, epochs: int | None = None) -> None:
    """Train a model on all folds but `fold`, or on all people (None), and write it to `out`; epochs: or None, the section's."""
    params, p = read_model(name)
    p = p if epochs is None else shortened(p, epochs)
    faces = Faces(Path("data/faces"))
    sets = read_datasets(faces, name, fold, p)
    print(f"{name}, {scope(fold)}: {len(sets[0].rows)} photos to learn from, {len(sets[1].rows)} held out, on "
          f"{pick_device(params.machine)}")
    if p.augment and faces.shape[0] < OVERSAMPLING * p.image_size:
        print(f"note: crops of {faces.shape[0]} pixels for {name}.image_size, {p.image_size}: augmentation blurs them; "
              f"{2 * p.image_size} (crop.height) would stay sharp")
    states, curves, resumes = [], [], []
    for seed in range(p.seed, p.seed + p.soup):
        live = out / ("live" if seed == p.seed else f"live-{seed}")
        one, state, curve = fit_in_memory(partial(Training, name, fold, seed=seed, sets=sets, faces=faces,
                                                  machine=params.machine), p, live)
        p = one.p
        states, curves, resumes = [*states, state], [*curves, curve], [*resumes, one.resume]
    by = None if fold is None else p.best
    best = [best_epoch(curve, by) for curve in curves]
    f1 = curves[0][best[0] - 1].get("val/f1")
    if p.soup > 1:
        states = [average(states)]
        f1 = one.score_of(states[0]).get("val/f1")
    kept = ceil(median(best))
    if data_parallel.rank() == 0:
        save_model(states[0], settings(p) | {"epochs": len(curves[0]), "best_epoch": kept, "f1": f1}, out)
        for resume in resumes:
            resume.clear()
    print(("kept: " + (f"the mean of {p.soup} trainings" if p.soup > 1 else f"epoch {kept}"))
          + (f", macro F1 {f1:.3f} on the held-out fold" if f1 is not None else ""))


def fit_in_memory(training: Callable[[Model], "Training"], p: Model, folder: Path) -> tuple["Training", dict, list[dict]]:
    """A training, its weights and its curve. Where memory is short and p.halve_batch is set, it starts again with half the
    batch and twice p.grad_accum_steps, as if both stood so in params.yaml, and says so."""
    while True:
        one = training(p)
        try:
            return one, *one.fit(folder)
        except (MemoryError, RuntimeError) as error:
            if not (p.halve_batch and p.batch >= 4 and lacks_memory(error)):
                raise
        del one
        torch.cuda.empty_cache()
        p = p.model_copy(update={"batch": p.batch // 2, "grad_accum_steps": 2 * p.grad_accum_steps})
        print(f"note: not enough memory for a batch of {2 * p.batch}, so training starts again with batch: {p.batch} and "
              f"grad_accum_steps: {p.grad_accum_steps}", flush=True)


def scope(fold: int | None) -> str:
    return "everyone" if fold is None else f"fold {fold}"


class Training:
    """One training with one seed, on `sets` (to learn from, held out). fold: the one held out, or None."""

    def __init__(self, name: str, fold: int | None, p: Model, seed: int, sets: tuple, faces: Faces, machine: Machine):
        self.p, self.target, device, size = p, sets[0].target, pick_device(machine), faces.size_at(p.image_size)
        torch.manual_seed(p.seed)  # trainings of one soup start from the same weights
        network = data_parallel.synchronized(start_network(name, p, size), p.backbone, device)
        seeded = p.model_copy(update={"seed": seed})
        workers = workers_beside(device.type, machine)
        self.batches, val_loader = loaders(*sets, faces, seeded, size, device, workers)
        self.trainer = Trainer(network, seeded, make_loss(p, self.target), len(self.batches), device,
                               make_mixing(seeded, sets[0]), machine.compile)
        self.statistics = statistics_loader(sets[0], faces, seeded, size, device, workers)
        self.score = None if fold is None else partial(validate, val_loader=val_loader, target=sets[1].target, p=p,
                                                       device=device)
        which = ("refit" if fold is None else str(fold)) + (f"-{seed}" if seed != p.seed else "")
        self.resume = Resume(Path("models/.resume", f"{name}-{which}.pt"),
                             run_digest(p.model_dump(), fold, seed, faces.digest, input_digests(name, p)))

    def fit(self, folder: Path) -> tuple[dict, list[dict]]:
        """The weights of the best epoch, and the curve, which dvclive writes to `folder`."""
        first = data_parallel.rank() == 0
        with Live(str(folder), dvcyaml=None, save_dvc_exp=False) if first else nullcontext() as live:
            try:
                return fit(self.trainer, self.batches, self.target, self.resume, live, self.score, self.statistics)
            except torch._dynamo.exc.TorchDynamoException as error:
                raise UserError(f"params.yaml: machine.compile: true, but torch cannot compile {self.p.backbone} here "
                                f"({first_line(error)}); set it to false") from None

    def score_of(self, state: dict) -> dict:
        """Loads weights, estimates their statistics of batch normalisation in place, and scores them as an epoch."""
        network = self.trainer.best_network
        network.load_state_dict(state)
        freeze(self.trainer.network, self.p.frozen)  # training mode, which a score ends
        if self.statistics:
            estimate_statistics(network, self.trainer.network, self.statistics, self.trainer.device)
        state.update({key: value.detach().cpu().clone() for key, value in network.state_dict().items()})
        return self.score(network) if self.score else {}


def average(states: list[dict]) -> dict:
    """The mean of each weight: a "model soup", Wortsman et al., 2022, of trainings that start from the same weights."""
    return {key: torch.stack([state[key] for state in states]).mean(0) if value.is_floating_point() else value
            for key, value in states[0].items()}


def shortened(p: Model, epochs: int) -> Model:
    """The section with so many epochs: the schedule ends where the training does, and what comes first leaves one epoch."""
    first = {name: min(getattr(p, name), epochs - 1) for name in ("warmup", "freeze_epochs")}
    return p.model_copy(update={"epochs": epochs, **first})


def input_digests(name: str, p: Model) -> list[str]:
    """SHA-256 of each input file of a training besides the crops."""
    files = [f"data/labels/{name}.csv", f"data/extra/{name}.csv", f"data/labels/{name}.json", "data/folds.csv",
             "data/photos.csv", *([p.weights] if p.weights else [])]
    return [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files]


def settings(p: Model) -> dict:
    """The settings that prediction needs, and those that the report shows."""
    ages = {"age_borders": p.classes.borders, "borders": p.borders, "drop": p.drop} if AGE in p.attributes else {}
    return {"attribute": p.attribute, "backbone": p.backbone, "image_size": p.image_size, "heads": p.heads,
            "last_layers": head_of(p), "arcface_scale": p.arcface_scale, "augment": p.augment,
            "augment_options": p.augment_options, "seed": p.seed, "batch": p.batch,
            "grad_accum_steps": p.grad_accum_steps, **ages}
