"""Run those of a comparison's runs that have no result yet, each as one DVC experiment. Run: python -m tools.runs SIZE

recipes/runs/SIZE.yaml lists the runs, and recipes/SIZE.yaml applies on top of each. All are checked before the first one
starts, and each starts from the last commit's params.yaml; DVC skips stages whose results it has. The same command resumes
a killed run. Failed runs do not stop the others and are listed at the end. `python -m tools.results` makes the tables;
logs/runs/ holds the output of each run.
"""
import os
import re
import shlex
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from stages.core.command_line import LOG, arguments, run
from stages.core.errors import UserError
from stages.core.params import FILE, TRAINING, is_model, with_training
from stages.core.progress import progress, say
from stages.core.yaml_file import load, read_yaml
from tools.shared.inputs import SAMPLE
from tools.shared.overrides import FOLDER, apply_overrides, check, committed, read_words, sources_of, uncommitted
from tools.shared.revisions import git, params_at, revisions

RUNS, LOGS = FOLDER / "runs", Path("logs/runs")
TRAINED = Path("logs/trained.csv")  # md5 of a trained model, and its seconds of training


def read_runs(size: str) -> dict[str, list[str]]:
    """The words of each run by its name: recipes and KEY=VALUE, with the size's recipe last among the recipes."""
    path = RUNS / f"{size}.yaml"
    if "/" in size or not path.is_file():
        found = ", ".join(sorted(file.stem for file in RUNS.glob("*.yaml")))
        raise UserError(f"{path}: no such list of runs; there are {found}")
    runs = read_yaml(path)
    if not (isinstance(runs, dict) and runs and all(isinstance(words, str) for words in runs.values())):
        raise UserError(f"{path}: must hold lines `name: RECIPE ... KEY=VALUE ...`")
    names = Counter(experiment_of(size, name) for name in runs)
    if same := [name for name in runs if names[experiment_of(size, name)] > 1]:
        raise UserError(f"{path}: {' and '.join(same)} make one name of an experiment, {experiment_of(size, same[0])}")
    return {name: words_of(line, size, f"{path}: {name}") for name, line in runs.items()}


def words_of(line: str, size: str, source: str) -> list[str]:
    """The words of a run, with the size's recipe after its own recipes."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UserError(f"{source}: {line!r}: {error}") from None
    return [*[word for word in words if "=" not in word], size, *[word for word in words if "=" in word]]


def experiment_of(size: str, name: str) -> str:
    """The name of a run's experiment, in the characters that DVC allows."""
    return re.sub(r"[^a-z0-9]+", "-", f"{size} {name}".lower()).strip("-")


def flatten_sections(values: dict) -> dict:
    """The values of a params.yaml by keys such as age.lr; `training` is merged into each model, and maps are kept."""
    out = {}
    for name, value in with_training(values).items():
        out |= {f"{name}.{key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
    return out


def differing_keys(params: dict, words: list[str]) -> list[str]:
    """Keys whose values in an experiment's params.yaml differ from those that its run has today: the committed ones, with
    the recipes and settings of `words`. A key newer than the experiment counts only if `words` override it."""
    overrides = read_words(words)
    wanted = apply_overrides(overrides, load(committed()), sources_of(words))
    unused = {"machine", *(["sample"] if wanted["data"]["root"] != str(SAMPLE) else [])}
    unused |= {name for name, section in wanted.items() if is_model(section) and name not in wanted["models"]}
    old, named = flatten_sections(params), {".".join(key.split(".")[:2]) for key in overrides}
    named |= {key for key in flatten_sections(wanted) if f"{TRAINING}.{key.split('.')[-1]}" in named}
    return sorted(key for key, value in flatten_sections(wanted).items() if not unused & set(key.split("."))
                  and (key in old or key in named) and old.get(key) != value)


def note_seconds(since: str, printed: str) -> None:
    """Record the seconds of the trainings that ended since then, by the md5 of their outputs.

    printed: their output. A training resumed from a checkpoint is left out, since it took longer than it logged.
    """
    lines = LOG.read_text().splitlines() if LOG.is_file() else []  # missing until a stage has ended
    ended = [line.split(",") for line in lines if line.count(",") == 5 and line.split(",")[2] == "stages.train"]
    resumed = re.findall(r"^going on after epoch \d+, from models/\.resume/(.+)\.pt$", printed, re.MULTILINE)
    seconds = {f"train@{model}-{fold}": took for stamp, _, _, model, fold, took in ended
               if stamp >= since and f"{model}-{fold}" not in resumed}
    for name, stage in read_yaml(Path("dvc.lock"))["stages"].items():
        if name in seconds:
            with open(TRAINED, "a") as file:
                print(stage["outs"][0]["md5"], seconds[name], sep=",", file=file)


def run_one(size: str, name: str, words: list[str]) -> bool:
    """Run one experiment; returns whether it succeeded."""
    since, log = time.strftime("%Y-%m-%dT%H:%M:%S"), LOGS / f"{experiment_of(size, name)}.log"
    command = [sys.executable, "-m", "tools.recipe", *words, "--name", experiment_of(size, name)]
    with open(log, "a+") as file:
        start = file.seek(0, os.SEEK_END)
        done = subprocess.run(command, check=False, stdout=file, stderr=subprocess.STDOUT)
        file.seek(start)
        note_seconds(since, file.read())
    return done.returncode == 0


def run_missing(size: str, runs: dict[str, list[str]]) -> None:
    """Run the runs without a result; raises UserError naming those that failed."""
    start, failed = committed(), []
    git("reset", "--quiet", "--", str(FILE))  # a killed experiment leaves its own staged, on which the next one would fail
    FILE.write_bytes(start)
    for name, words in runs.items():
        check(read_words(words), load(start), sources_of(words, f"{RUNS / size}.yaml: {name}"))
    found = revisions()
    todo = {name: words for name, words in runs.items() if experiment_of(size, name) not in found}
    print(f"{len(runs) - len(todo)} of {len(runs)} runs have their result")
    for name, words in runs.items():
        experiment = experiment_of(size, name)
        if experiment in found and (keys := differing_keys(params_at(found[experiment]), words)):
            print(f"{name}: its experiment has another {', '.join(keys)}; to run it anew: dvc exp remove {experiment}")
    for name, words in progress(todo.items(), "comparing", unit="run"):
        say(name, sys.stdout)
        FILE.write_bytes(start)  # the experiment before left its own
        if not run_one(size, name, words):
            failed.append(name)
            say(f"{name}: failed, see {LOGS / experiment_of(size, name)}.log", sys.stdout)
    if failed:
        raise UserError(f"{len(failed)} of {len(runs)} runs failed: {', '.join(failed)}; the same command tries them again")


def main():
    [size] = arguments("SIZE")
    runs = read_runs(size)
    if others := uncommitted():
        print(f"{FILE} differs from the last commit in {', '.join(others)}; every run starts from the commit's")
    original = FILE.read_bytes()
    LOGS.mkdir(parents=True, exist_ok=True)
    for old in LOGS.glob("params-*.yaml"):
        print(f"{old}: {FILE} as it was before a comparison that was killed")
    backup = LOGS / f"params-{time.strftime('%Y%m%dT%H%M%S')}.yaml"
    backup.write_bytes(original)
    try:
        run_missing(size, runs)
    finally:
        FILE.write_bytes(original)
        backup.unlink()


if __name__ == "__main__":
    run(main)
