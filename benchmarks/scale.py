"""Seconds, memory and open files of the stages that touch every photo. Run after `dvc repro`:

    python -m benchmarks.scale [--photos 1000 10000] [--shards [--more N]] [--stages index split] [--status]
                               [--engine local ray] [--set K=V ...]

Draws so many photos of people in a temporary folder, and runs index, split, detect, crop and predict there (or the first of
them, as --stages says), each engine from the start, as params.yaml says (or --set). predict borrows the project's first listed
model, its fold 0. Prints a row a stage: photos a second, the start of Python included; the most memory and open files of the
stage and its processes together, looked at 20 times a second; and whether the engines gave the same bytes. With --shards the
photos are 96 pixels wide and lie in Parquet files, a million of them in 3 GB; with --more all runs once more after so many
further photos have come in shards of their own. --status: `dvc status index`, too, with all photos in DVC's cache.
"""
import argparse
import copy
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.params import FILE, parse
from stages.core.yaml_file import read_yaml
from tools.shared.overrides import apply_overrides, read_settings

ROOT, EVERY = Path.cwd(), 0.05
MASKS = {"incorrect_mask": "incorrect", "normal": "bare"}  # of the sample's photos; the others are worn
PEOPLE, WIDE, ROWS, GROUP = 60, 96, 50_000, 1000  # of --shards: people drawn, pixels, photos in a file and in a row group
OUTS = {"index": "data/photos.csv", "split": "data/folds.csv", "detect": "data/boxes.csv", "crop": "data/faces",
        "predict": "data/predictions"}


def measured(words: list[str], folder: Path) -> tuple[float, float, int]:
    """Seconds of a stage, or of dvc, and the most MB and open files of it and its processes together."""
    began, memory, files = time.monotonic(), 0, 0
    command = words if words[0] == "dvc" else [sys.executable, "-m", f"stages.{words[0]}", *words[1:]]
    process = psutil.Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    with process:
        while process.poll() is None:
            try:
                family = [process, *process.children(recursive=True)]
                memory = max(memory, sum(each.memory_info().rss for each in family))
                files = max(files, sum(each.num_fds() for each in family))
            except psutil.Error:  # one has just ended
                pass
            time.sleep(EVERY)
        said = process.stdout.read()
    if process.returncode:
        raise UserError(f"{' '.join(words)}: {said.strip().splitlines()[-1]}")
    return time.monotonic() - began, memory / 1e6, files


def draw_shards(sample: Path, folder: Path, numbers: range) -> None:
    """Write Parquet shards of small photos with these numbers: the sample's again and again, each with bytes of its own."""
    drawn = []
    for file in sorted(sample.glob("train/images/*/[!.]*.jp*g")):
        height, width = (photo := cv2.imread(str(file))).shape[:2]
        small = cv2.resize(photo, (WIDE, height * WIDE // width), interpolation=cv2.INTER_AREA)
        _, gender, _, age = file.parent.name.split("_")
        drawn.append((cv2.imencode(".jpg", small)[1].tobytes(), gender, int(age), MASKS.get(file.stem, "worn")))
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, len(numbers), ROWS):
        part = numbers[first:first + ROWS]
        data, genders, ages, masks = zip(*(drawn[number % len(drawn)] for number in part))
        images = [{"bytes": with_comment(photo, number)} for photo, number in zip(data, part)]
        table = pa.table({"image": images, "person": [f"p{number // 7}" for number in part], "gender": genders, "age": ages,
                          "mask": masks})
        pq.write_table(table, folder / f"train-{len(list(folder.iterdir())):05d}.parquet", row_group_size=GROUP)


def with_comment(jpeg: bytes, number: int) -> bytes:
    """A JPEG with a number as its comment, after the marker of its start."""
    comment = b"%d" % number
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def digest(path: Path) -> str:
    """SHA-256 of a file, or of all in a folder."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()


def row(stage: str, model: str, engine: str, folder: Path, first: dict[str, str]) -> None:
    """Run a stage and print its row. first: the digest of what each stage wrote first."""
    seconds, memory, files = measured([stage, model, "0"] if stage == "predict" else [stage], folder)
    count = len((folder / "data/photos.csv").read_bytes().splitlines()) - 1
    now = digest(folder / OUTS[stage])
    print(f"| {stage} | {engine} | {count} | {seconds:.1f} | {count / seconds:.3g} | {memory:.0f} | {files} | "
          f"{'yes' if first.setdefault(stage, now) == now else 'NO'} |", flush=True)


def row_of_status(folder: Path) -> None:
    """Print the row of `dvc status index`, once DVC has noted the photos and what index made of them."""
    for name in ("dvc.yaml", "data/dvc.yaml", "data/corrections", "data/groups", "data/pseudo", "stages", "labeller"):
        (folder / name).symlink_to(ROOT / name)
    for words in ("init --no-scm -q", "commit -q -f index"):
        measured(["dvc", *words.split()], folder)
    seconds, memory, files = measured(["dvc", "status", "index"], folder)
    count = len((folder / "data/photos.csv").read_bytes().splitlines()) - 1
    print(f"| dvc status index | | {count} | {seconds:.1f} | | {memory:.0f} | {files} | |", flush=True)


def measure(photos: int, asked: argparse.Namespace, values: dict) -> None:
    """Print the rows of so many photos."""
    values, model = copy.deepcopy(values), values["models"][0]
    people = PEOPLE if asked.shards else max(values["split"]["n_folds"] * 6, photos // 7 - 1)
    values["sample"] |= {"people": people, "eval_people": 1}
    values["data"] |= {"root": "data/shards" if asked.shards else "data/sample", "table": None}
    first: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "models").symlink_to(ROOT / "models")
        for engine in asked.engine:
            values["machine"]["engine"] = engine
            (folder / FILE).write_text(yaml.safe_dump(values, sort_keys=False))
            if not first:  # all engines get the same photos
                measured(["sample"], folder)
                if asked.shards:
                    draw_shards(folder / "data/sample", folder / "data/shards", range(photos))
            for file in (folder / "data/.resume").glob("*"):
                file.unlink()
            for more in (0, *[asked.more] * bool(asked.more)):
                if more:
                    draw_shards(folder / "data/sample", folder / "data/shards", range(photos, photos + more))
                for stage in asked.stages:
                    row(stage, model, engine, folder, {} if more else first)
        if asked.status:
            row_of_status(folder)


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__.split("\n\n")[0])
    parser.add_argument("--photos", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--shards", action="store_true")
    parser.add_argument("--more", type=int, default=0, metavar="N")
    parser.add_argument("--status", action="store_true")
    parser.add_argument("--stages", nargs="+", choices=OUTS, default=list(OUTS))
    parser.add_argument("--engine", nargs="+", choices=["local", "ray"], default=["local"])
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    overrides = read_settings(asked.set)
    values = apply_overrides(overrides, read_yaml(FILE), dict.fromkeys(overrides, "--set"))
    parse(values)
    if min(asked.photos) < 1:
        raise UserError(f"--photos: {min(asked.photos)} must be 1 or more")
    if asked.more and (not asked.shards or len(asked.engine) > 1):
        raise UserError("--more: needs --shards and one engine")
    print("| stage | engine | photos | seconds | photos/s | MB | open files | same bytes |\n|---|---|---|---|---|---|---|---|")
    for photos in asked.photos:
        measure(photos, asked, values)


if __name__ == "__main__":
    run(main)
