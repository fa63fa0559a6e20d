"""Speed of face detection in photos a second, against facenet-pytorch on the same photos and thresholds. Prints Markdown.

    python -m benchmarks.detection_speed FOLDER [--photos 200] [--rounds 3] [--memory 31500]

All go from files to boxes: (a) facenet-pytorch one photo at a time, as the reference systems use it, (b) facenet-pytorch in
batches of 16, (c) stages/detect.py without its second look, which facenet-pytorch does not have, and (d) the stage as
params.yaml has it. They take turns in each round; a figure is the median of the rounds. --memory runs the stage over this
many photos (the folder's, repeated) and prints its peak memory.
"""
import argparse
import os
import resource
import statistics
import time
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from facenet_pytorch import MTCNN

import stages  # noqa: F401 sets how torch's threads wait, before any starts
from labeller.faces.decoding import read_photo, read_photos
from labeller.faces.detector import by_size
from labeller.inputs.photo_files import SUFFIXES
from stages.core.command_line import run
from stages.core.device import pick_device
from stages.core.errors import UserError
from stages.core.params import Params, read_params
from stages.core.progress import progress
from stages.detect import detect
from stages.faces.mtcnn import Cascade

BATCH = 16


def one_by_one(files, mtcnn, p):
    for file in files:
        mtcnn.detect(read_photo(file))


def in_batches(files, mtcnn, p):
    photos = list(read_photos(files, p.machine.workers))
    for group in by_size(photos):
        for i in range(0, len(group), BATCH):
            mtcnn.detect(np.stack([photos[j] for j in group[i : i + BATCH]]))


def this_stage(files, p: Params, device):
    detect(pd.DataFrame({"photo": map(str, files), "part": "eval", "md5": ""}), Path(), p.detect, device, p.machine.workers,
           p.machine.batch)


def with_detect(p: Params, **changes) -> Params:
    return p.model_copy(update={"detect": p.detect.model_copy(update=changes)})


def contenders(min_face: int, p: Params, device) -> dict:
    """The functions to compare, each of a list of files, by the letters of their columns."""
    mtcnn = MTCNN(keep_all=True, min_face_size=min_face, thresholds=list(p.detect.thresholds), device=device)
    mtcnn_only, whole = with_detect(p, min_face=min_face, second_look=False), with_detect(p, min_face=min_face)
    return {"a": lambda files: one_by_one(files, mtcnn, p), "b": lambda files: in_batches(files, mtcnn, p),
            "c": lambda files: this_stage(files, mtcnn_only, device), "d": lambda files: this_stage(files, whole, device)}


def timed(contenders: dict, files: list[Path], rounds: int, device) -> dict[str, float]:
    """Photos a second of each contender, as the median of the rounds, after an untimed warm-up on the first photos."""
    for work in contenders.values():
        work(files[:BATCH])
    speeds = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            start = time.perf_counter()
            work(files)
            if device.type == "cuda":
                torch.cuda.synchronize()
            speeds[name].append(len(files) / (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in speeds.items()}


def agreement(files: list[Path], min_face: int, p: Params) -> str:
    """The share of photos with the same number of faces, and corners within a pixel, on the CPU in float32."""
    cpu, same = torch.device("cpu"), 0
    ours, theirs = Cascade(cpu), MTCNN(keep_all=True, min_face_size=min_face, thresholds=list(p.detect.thresholds))
    for photo in progress(read_photos(files, p.machine.workers), "comparing boxes", len(files)):
        boxes, scores = theirs.detect(photo)
        [faces] = ours(torch.tensor(photo[None]), min_face, p.detect.thresholds)
        boxes = np.zeros((0, 4)) if boxes is None else boxes[np.argsort(-scores)].astype(float)
        same += len(boxes) == len(faces) and np.abs(boxes - faces[:, :4]).max(initial=0) <= 1
    return f"{same} of {len(files)}"


def memory(files: list[Path], count: int, p: Params, device):
    """Run the stage over 1,000 photos, then over `count`, and print the peak memory after each."""
    for n in (1000, count):
        this_stage(list(islice(cycle(files), n)), p, device)
        host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        gpu = f", GPU {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB" if device.type == "cuda" else ""
        print(f"Peak memory after {n:,} photos: {host:.2f} GiB{gpu}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, default=0)
    args = parser.parse_args()
    found = [file for file in sorted(args.folder.rglob("*")) if file.suffix in SUFFIXES and not file.name.startswith(".")]
    if not found:
        raise UserError(f"{args.folder}: no photos there")
    files = found[:: max(1, len(found) // args.photos)][: args.photos]
    p = read_params()
    device = pick_device(p.machine)
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    print(f"{len(files)} photos, {args.rounds} rounds, {os.cpu_count()} cores, {where}, torch {torch.__version__}\n")
    print("| min_face | (a) one by one | (b) batches | (c) this stage | c / a | c / better of a, b | (d) with second look "
          "| same boxes |")
    print("|" + "---|" * 8)
    for min_face in (20, p.detect.min_face):
        s = timed(contenders(min_face, p, device), files, args.rounds, device)
        print(f"| {min_face} | {s['a']:.0f} | {s['b']:.0f} | {s['c']:.0f} | {s['c'] / s['a']:.2f} | "
              f"{s['c'] / max(s['a'], s['b']):.2f} | {s['d']:.0f} | {agreement(files, min_face, p)} |", flush=True)
    decoding = timed({"decode": lambda f: [None for _ in read_photos(f, p.machine.workers)]}, files, args.rounds, device)
    print(f"\nPhotos a second; decoding alone: {decoding['decode']:.0f}", flush=True)
    if device.type != "cuda":
        print("\nOn a GPU: not measured yet")
    if args.memory:
        print()
        memory(files, args.memory, p, device)


if __name__ == "__main__":
    run(main)
