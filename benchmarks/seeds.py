"""How much luck a training needs: its macro F1 over seeds and numbers of threads. Run after `dvc repro`:

    python -m benchmarks.seeds [--models mask gender age] [--seeds 10] [--threads 1 2] [--set KEY=VALUE ...]

Trains each model on fold 0 once a seed and number of threads, as params.yaml says (or --set), and prints the minimum, the
median and the maximum. Another number of threads adds in another order, as another processor does. Nothing in the project
changes: each training runs in a temporary folder that borrows the crops.
"""
import argparse
import copy
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import yaml

from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.params import FILE, parse
from stages.core.progress import progress
from stages.core.yaml_file import read_yaml
from tools.shared.overrides import apply_overrides, read_settings

ROOT = Path.cwd()


def train(model: str, seed: int, threads: int, values: dict) -> float:
    """Macro F1 on fold 0 of one training with that seed and number of threads; values: those of params.yaml."""
    values = copy.deepcopy(values)
    values[model]["seed"] = seed
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, FILE).write_text(yaml.safe_dump(values))
        Path(folder, "data").symlink_to(ROOT / "data")
        env = os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-m", "stages.train", model, "0"], check=False, cwd=folder, env=env,
                              capture_output=True, text=True)
        if done.returncode:
            raise UserError(f"{model}, seed {seed}: {done.stderr.strip().splitlines()[-1]}")
        return json.loads(Path(folder, f"models/{model}/0/model.json").read_text())["f1"]


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeds", description=__doc__.split("\n\n")[0])
    parser.add_argument("--models", nargs="+", default=["mask", "gender", "age"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    asked = parser.parse_args()
    overrides = read_settings(asked.set)
    values = apply_overrides(overrides, read_yaml(FILE), dict.fromkeys(overrides, "--set"))
    sections = parse(values).sections
    if unknown := [model for model in asked.models if model not in sections]:
        raise UserError(f"--models: {unknown[0]!r} has no section in {FILE}; there are {', '.join(sections)}")
    if min(asked.seeds, *asked.threads) < 1:
        raise UserError(f"--seeds = {asked.seeds}, --threads = {asked.threads}: must be 1 or more")
    print("| model | threads | seeds | minimum | median | maximum |\n|---|---|---|---|---|---|")
    for model in asked.models:
        for threads in asked.threads:
            scores = [train(model, seed, threads, values) for seed in
                      progress(range(1, asked.seeds + 1), f"{model}, {threads} threads", unit="training", summary=False)]
            print(f"| {model} | {threads} | {len(scores)} | {min(scores):.3f} | {median(scores):.3f} | {max(scores):.3f} |",
                  flush=True)


if __name__ == "__main__":
    run(main)
