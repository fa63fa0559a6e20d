"""Run what a comparison lists and has no result yet, each as one DVC experiment. Run: python -m tools.runs SIZE

recipes/runs/SIZE.yaml names the runs, and recipes/SIZE.yaml is put on top of each. All are checked before the first one
runs, and each starts from params.yaml of the last commit; DVC skips the stages whose result it has. One that dies is
resumed by the same command, and one that fails is named at the end, while the others go on. `python -m tools.results`
makes the tables. logs/comparison/ holds what each printed.
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
from tools.experiments.inputs import SAMPLE
from tools.experiments.overrides import FOLDER, applied, check, committed, read_words, sources_of, uncommitted
from tools.experiments.revisions import git, params_at, revisions

RUNS, LOGS = FOLDER / "runs", Path("logs/comparison")
TRAINED = Path("logs/trained.csv")  # md5 of a trained model, and the seconds it took


def read_runs(size: str) -> dict[str, list[str]]:
    """The words of each run by its name: recipes and KEY=VALUE, with the size's recipe after the others."""
    path = RUNS / f"{size}.yaml"
    if not path.is_file():
        found = ", ".join(sorted(file.stem for file in RUNS.glob("*.yaml")))
        raise UserError(f"{path}: no such comparison; there are {found}")
    runs = read_yaml(path)
    if not (isinstance(runs, dict) and runs and all(isinstance(words, str) for words in runs.values())):
        raise UserError(f"{path}: must hold lines `name: RECIPE ... KEY=VALUE ...`")
    names = Counter(experiment_of(size, name) for name in runs)
    if same := [name for name in runs if names[experiment_of(size, name)] > 1]:
        raise UserError(f"{path}: {' and '.join(same)} make one name of an experiment, {experiment_of(size, same[0])}")
    return {name: words_of(line, size, f"{path}: {name}") for name, line in runs.items()}


def words_of(line: str, size: str, source: str) -> list[str]:
    """The words of a run, with the size's recipe after its own."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UserError(f"{source}: {line!r}: {error}") from None
    return [*[word for word in words if "=" not in word], size, *[word for word in words if "=" in word]]


def experiment_of(size: str, name: str) -> str:
    """The name of a run's experiment, in the letters that DVC allows."""
    return re.sub(r"[^a-z0-9]+", "-", f"{size} {name}".lower()).strip("-")


def two_deep(values: dict) -> dict:
    """The parameters of a params.yaml by their keys, such as age.lr; those of `training` are each model's; a map stays one."""
    out = {}
    for name, value in with_training(values).items():
        out |= {f"{name}.{key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
    return out


def differing(params: dict, words: list[str]) -> list[str]:
    """The keys of which an experiment's params.yaml has other values than its run has today: the commit's, and on top of
    them the recipes and settings of `words`. A key that the experiment did not know yet counts where these name it."""
    overrides = read_words(words)
    wanted = applied(overrides, load(committed()), sources_of(words))
    idle = {"machine", *(["sample"] if wanted["data"]["root"] != str(SAMPLE) else [])}
    idle |= {name for name, section in wanted.items() if is_model(section) and name not in wanted["models"]}
    had, named = two_deep(params), {".".join(key.split(".")[:2]) for key in overrides}
    named |= {key for key in two_deep(wanted) if f"{TRAINING}.{key.split('.')[-1]}" in named}
    return sorted(key for key, value in two_deep(wanted).items() if not idle & set(key.split("."))
                  and (key in had or key in named) and had.get(key) != value)


def note_seconds(since: str, printed: str) -> None:
    """Keep the seconds of the trainings that ended since then, by the md5 of what they wrote.

    printed: what they printed meanwhile; one that says that it went on from a checkpoint took longer than it noted.
    """
    lines = LOG.read_text().splitlines() if LOG.is_file() else []  # none where no stage ever ended
    ended = [line.split(",") for line in lines if line.count(",") == 5 and line.split(",")[2] == "stages.train"]
    resumed = re.findall(r"^going on after epoch \d+, from models/\.resume/(.+)\.pt$", printed, re.MULTILINE)
    seconds = {f"train@{model}-{fold}": took for stamp, _, _, model, fold, took in ended
               if stamp >= since and f"{model}-{fold}" not in resumed}
    for name, stage in read_yaml(Path("dvc.lock"))["stages"].items():
        if name in seconds:
            with open(TRAINED, "a") as file:
                print(stage["outs"][0]["md5"], seconds[name], sep=",", file=file)


def run_one(size: str, name: str, words: list[str]) -> bool:
    """Run one experiment; returns whether it ended well."""
    since, log = time.strftime("%Y-%m-%dT%H:%M:%S"), LOGS / f"{experiment_of(size, name)}.log"
    command = [sys.executable, "-m", "tools.recipe", *words, "--name", experiment_of(size, name)]
    with open(log, "a+") as file:
        start = file.seek(0, os.SEEK_END)
        done = subprocess.run(command, check=False, stdout=file, stderr=subprocess.STDOUT)
        file.seek(start)
        note_seconds(since, file.read())
    return done.returncode == 0


def compare(size: str, runs: dict[str, list[str]]) -> None:
    """Run what has no result; raises UserError naming those that failed."""
    start, failed = committed(), []
    git("reset", "--quiet", "--", str(FILE))  # an experiment that was killed leaves its own there, and the next one would fail
    FILE.write_bytes(start)
    for name, words in runs.items():
        check(read_words(words), load(start), sources_of(words, f"{RUNS / size}.yaml: {name}"))
    there = revisions()
    todo = {name: words for name, words in runs.items() if experiment_of(size, name) not in there}
    print(f"{len(runs) - len(todo)} of {len(runs)} runs have their result")
    for name, words in runs.items():
        experiment = experiment_of(size, name)
        if experiment in there and (others := differing(params_at(there[experiment]), words)):
            print(f"{name}: its experiment has another {', '.join(others)}; to run it anew: dvc exp remove {experiment}")
    for name, words in progress(todo.items(), "comparing", unit="run"):
        say(name, sys.stdout)
        FILE.write_bytes(start)  # an experiment leaves its own, and each is to start from the same
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
    mine = FILE.read_bytes()
    LOGS.mkdir(parents=True, exist_ok=True)
    for left in LOGS.glob("params-*.yaml"):
        print(f"{left}: {FILE} as it was before a comparison that was killed")
    copy = LOGS / f"params-{time.strftime('%Y%m%dT%H%M%S')}.yaml"
    copy.write_bytes(mine)
    try:
        compare(size, runs)
    finally:
        FILE.write_bytes(mine)
        copy.unlink()


if __name__ == "__main__":
    run(main)
