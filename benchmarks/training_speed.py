"""Does training keep the hardware busy? Speed of an epoch against that of steps on a batch already on the device.

    python -m benchmarks.training_speed [--backbone NAME] [--sizes 96 128] [--photos 1024] [--rounds 3] [--compile]

Both columns are photos a second of the same network's forward, backward and optimizer step, measured in turns in each
round. The epoch also reads crops from the store, augments them (`light`) and sends batches, by machine.workers processes.
Crops are noise, since their content does not affect speed. Prints Markdown, then the seconds of the imports and to the
first step, and peak memory.
"""
import time

START = time.perf_counter()
import argparse
import os
import resource
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

import stages  # noqa: F401 sets how torch's threads wait, before any starts
from stages.core.command_line import run
from stages.core.device import pick_device
from stages.core.face_store import Faces, write_faces
from stages.core.model_params import Model
from stages.core.params import read_params
from stages.modeling.augment import Augment
from stages.modeling.dataloader import Crops, loader
from stages.modeling.losses import make_loss
from stages.modeling.networks import start_network
from stages.modeling.trainer import Trainer

IMPORTED = time.perf_counter() - START


def noise(folder: Path, photos: int, size: int) -> Faces:
    rng = np.random.default_rng(0)
    crops = (rng.integers(0, 256, (size, size, 3), np.uint8) for _ in range(photos))
    write_faces(folder, [str(i) for i in range(photos)], crops, (size, size))
    return Faces(folder)


def bare_epoch(trainer: Trainer, crops: torch.Tensor, target: torch.Tensor, steps: int) -> None:
    """Take `steps` training steps on one batch of crops already on the device."""
    trainer.network.train()
    position = torch.arange(len(crops))
    for step in range(steps):
        trainer.backward(crops, position, target, step)
        trainer.update(step)


def seconds(work, device: torch.device) -> float:
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def compare(faces: Faces, p: Model, size: int, rounds: int, compiled: bool, device, workers: int) -> tuple[float, float, float]:
    """Photos a second of an epoch and of bare steps, as medians of the rounds, and the seconds to the first step."""
    torch.manual_seed(0)
    began = time.perf_counter()
    batches = loader(Crops(faces, np.arange(len(faces)), (size, size), Augment(["light"])), p.batch, workers, device, seed=0)
    trainer = Trainer(start_network("age", p, (size, size)), p, make_loss(p, None), len(batches), device,
                      compiled=compiled)
    trainer.schedule.step = lambda: None  # the benchmark takes more steps than the schedule has
    target = torch.arange(len(faces)) % 3
    crops = torch.stack([batches.dataset[(i, 0)][0] for i in range(p.batch)]).to(device)
    seconds(lambda: bare_epoch(trainer, crops, target.to(device), 1), device)
    first = time.perf_counter() - began
    trainer.train_epoch(batches, target, "warming up")
    epochs, bares = [], []
    for _ in range(rounds):
        epochs.append(seconds(lambda: trainer.train_epoch(batches, target, "epoch"), device))
        bares.append(seconds(lambda: bare_epoch(trainer, crops, target.to(device), len(batches)), device))
    photos = len(batches) * p.batch
    return photos / statistics.median(epochs), photos / statistics.median(bares), first


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="tf_efficientnetv2_b0")
    parser.add_argument("--sizes", type=int, nargs="+", default=[96, 128])
    parser.add_argument("--photos", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    params = read_params()
    p = params.sections["age"].model_copy(update={"backbone": args.backbone, "pretrained": False, "weights": None,
                                                          "loss": "cross_entropy", "class_weights": "none"})
    device, workers = pick_device(params.machine), params.machine.workers
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    print(f"{args.backbone}, batches of {p.batch}, {args.photos} photos, {workers} workers, {os.cpu_count()} cores, {where}, "
          f"torch {torch.__version__}{', compiled' if args.compile else ''}\n")
    print("| pixels | an epoch, photos/s | bare steps, photos/s | epoch / bare |\n|---|---|---|---|")
    for size in args.sizes:
        with TemporaryDirectory() as folder:
            epoch, bare, first = compare(noise(Path(folder), args.photos, size), p, size, args.rounds, args.compile, device,
                                         workers)
        print(f"| {size} | {epoch:.0f} | {bare:.0f} | {epoch / bare:.2f} |", flush=True)
    host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    on_gpu = f"; GPU {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB" if device.type == "cuda" else ""
    print(f"\nImports {IMPORTED:.1f} s, first step after {first:.1f} s more. Peak memory {host:.2f} GiB{on_gpu}")
    if device.type != "cuda":
        print("\nOn a GPU: not measured yet")


if __name__ == "__main__":
    run(main)
