"""A stage's position in the pipeline, with the time that it and all later stages took last time."""
import os
import shlex
from functools import reduce
from itertools import product
from operator import getitem
from pathlib import Path

from stages.core.progress import duration
from stages.core.yaml_file import read_yaml

MAKERS = Path("data/dvc.yaml")  # stages that make photos, each run only where its folder is data.root or what that is made of
MADE = {"sample": "data/sample", "paint": "data/painted"}


def announce(log: Path) -> None:
    """If DVC runs this process as a stage, print its place in the pipeline; log: the seconds of earlier runs."""
    stage = os.environ.get("DVC_STAGE")
    if stage and stage in (plan := pipeline()):
        print(place(stage, plan, last_seconds(log)), flush=True)


def pipeline() -> dict[str, tuple[str, ...]]:
    """Stages in the order of dvc.yaml, with the arguments of their commands, such as ("stages.train", "age", "0")."""
    params = read_yaml(Path("params.yaml"))
    out = {}
    roots = [params["data"]["root"]]
    if roots == [MADE["paint"]]:
        roots.append(params["paint"]["source"]["root"])
    if set(roots) & set(MADE.values()):
        out |= {f"{MAKERS}:{name}": words for name, words in stages_of(MAKERS, params).items()
                if MADE[name.split("@")[0]] in roots}
    return out | stages_of(Path("dvc.yaml"), params)


def stages_of(file: Path, params: dict) -> dict[str, tuple[str, ...]]:
    """The stages of one dvc.yaml; a matrix gives a stage for each combination, such as train@age-0."""
    out = {}
    for name, stage in read_yaml(file)["stages"].items():
        axes = {axis: reduce(getitem, values.strip("${}").split("."), params)
                for axis, values in stage.get("matrix", {}).items()}
        for item in product(*axes.values()):
            command = stage["cmd"]
            for axis, value in zip(axes, item):
                command = command.replace(f"${{item.{axis}}}", str(value))
            out[name + "@" * bool(item) + "-".join(map(str, item))] = tuple(shlex.split(command)[2:])  # after `python -m`
    return out


def last_seconds(log: Path) -> dict[tuple[str, ...], float]:
    """Seconds of each command's last completed run, by its arguments; skips a line that a kill cut off."""
    out = {}
    for line in log.read_text().splitlines() if log.is_file() else []:
        cells = line.split(",")  # when, machine, words ..., seconds
        if len(cells) > 3 and cells[-1].replace(".", "", 1).isdecimal():
            out[tuple(cells[2:-1])] = float(cells[-1])
    return out


def place(stage: str, plan: dict[str, tuple[str, ...]], seconds: dict[tuple[str, ...], float]) -> str:
    """Such as `stage 9 of 17, train@age-0: 50 s last time; with all after it 1 min 20 s`."""
    names = list(plan)
    rest = names[names.index(stage):]
    text = f"stage {names.index(stage) + 1} of {len(names)}, {stage}"
    if plan[stage] in seconds:
        text += f": {duration(seconds[plan[stage]])} last time"
        if len(rest) > 1 and all(plan[name] in seconds for name in rest):
            text += f"; with all after it {duration(sum(seconds[plan[name]] for name in rest))}"
    return text
