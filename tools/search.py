"""Search good parameters of one model. Run: python -m tools.search MODEL [--trials 20] [--space default]

Each trial is one DVC experiment, search-MODEL-N, with other values of the model's section; the one with the highest macro
F1 of the model's attribute on held-out people (of the 18 classes, for a joint model), as all listed models vote, is the
best. Optuna's TPE (Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization") suggests them: the first is what
params.yaml says, nine are by chance, then what is like the good ones. recipes/search/SPACE.yaml says what is searched.

Trials run in folders of their own (`dvc exp run --temp`), so the workspace stays as it is. A trial starts from what it has
at that moment, so a change of params.yaml, a table that it names, dvc.yaml or stages/ ends the search. --trials counts all
that ended, those that failed and those that the schema refused, too: the same command goes on with a search that was
killed, and first tries again what was running then. A study belongs to its space and to all other parameters, not to the code
and the data; logs/search/ holds the studies and what each trial printed.
"""
import argparse
import fcntl
import hashlib
import json
import shlex
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.distributions import CategoricalDistribution, distribution_to_json
from optuna.trial import FrozenTrial, Trial, TrialState

from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.model_params import Model
from stages.core.params import FILE, read_params, with_training
from stages.core.progress import progress, say
from stages.core.yaml_file import read_yaml
from tools.experiments.overrides import check, settings_of
from tools.experiments.revisions import git, read_at
from tools.experiments.search_space import Space, read_space
from tools.recipe import free_name

LOGS = Path("logs/search")
FAILED = "failed"  # marks a trial that failed, and was not killed
SHOWN = 10  # of the best trials


def section_of(name: str) -> Model:
    """The section of a model that is trained; raises UserError naming those there are."""
    params = read_params()
    if name not in params.models:
        raise UserError(f"{name!r}: no model that {FILE} trains; models: {', '.join(params.models)}")
    return params.sections[name]


def open_study(model: str, space: Space, section: Model) -> optuna.Study:
    """The study of that model, space and rest of params.yaml, but for `machine`, which decides no result."""
    rest = with_training(read_yaml(FILE))
    del rest["machine"]
    for key in space:
        del rest[model][key.split(".")[1]]
    kinds = {key: distribution_to_json(one) for key, one in space.items()}
    digest = hashlib.sha256(json.dumps([kinds, rest], sort_keys=True).encode()).hexdigest()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=f"sqlite:///{LOGS}/studies.db", study_name=f"{model}-{digest[:16]}",
                                direction="maximize", load_if_exists=True)
    if not study.trials:
        study.enqueue_trial(within(space, section.model_dump(mode="json")))
    # Seeded by what is there already: a search that goes on must not draw its first trials once more.
    study.sampler = optuna.samplers.TPESampler(seed=len(study.trials), n_startup_trials=10)
    for trial in study.get_trials(states=[TrialState.RUNNING]):  # whose search was killed
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
    return study


def within(space: Space, values: dict) -> dict:
    """Of the values of a section those that the space has; Optuna draws the others."""
    own = {key: values[key.split(".")[1]] for key in space}
    own |= {key: json.dumps(own[key]) for key, kind in space.items() if isinstance(kind, CategoricalDistribution)}
    return {key: own[key] for key, kind in space.items() if
            (own[key] in kind.choices if isinstance(kind, CategoricalDistribution) else kind.low <= own[key] <= kind.high)}


@contextmanager
def alone(model: str):
    """Raise UserError while another search of the model runs here: each would take the other's trial for a dead one."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with open(LOGS / f"{model}.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"{model}: another search of it runs in this folder") from None
        yield


def changes(commit: str, beside: list[str]) -> str:
    """What decides a trial's result and differs from the commit; beside: files that git may not track."""
    new = git("ls-files", "--others", "--exclude-standard", "--", "stages").splitlines()
    contents = [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in (*new, *beside) if Path(file).is_file()]
    return "\n".join([git("diff", commit, "--", str(FILE), "dvc.yaml", "stages", "data"), *new, *contents])


def as_parameter(value: str | float) -> object:
    """A suggested value as params.yaml takes it: numbers of three digits, so that what is printed is what ran."""
    if isinstance(value, str):
        return json.loads(value)
    return float(f"{value:.3g}") if isinstance(value, float) else value


def overrides_of(trial: Trial | FrozenTrial) -> dict:
    return {key: as_parameter(value) for key, value in trial.params.items()}


def named_files() -> list[str]:
    """The folder of photos, the tables and the weights that params.yaml names."""
    params = read_params()
    of_models = [file for name in params.models for file in (params.sections[name].weights, params.sections[name].pseudo)]
    return [f for f in dict.fromkeys([params.data.root, params.labels.corrections, *of_models]) if f]


def beside_git() -> list[str]:
    """Options that take photos, tables and weights along into a trial's folder, which has what git and DVC track."""
    files = map(Path, named_files())
    untracked = [file for file in files if file != Path("data/sample") and not file.with_name(f"{file.name}.dvc").is_file()]
    return [word for file in untracked if not file.is_absolute() for word in ("--copy-paths", str(file))]


def run_trial(experiment: str, overrides: dict) -> bool:
    """Run one experiment; returns whether it ended well. Without overrides DVC has its result."""
    command = ["dvc", "exp", "run", "--temp", "--name", experiment, *beside_git(), *settings_of(overrides, read_yaml(FILE))]
    with open(LOGS / f"{experiment}.log", "w") as log:
        print(shlex.join(command), file=log, flush=True)
        return subprocess.run(command, check=False, stdout=log, stderr=subprocess.STDOUT).returncode == 0


def score_of(experiment: str, attribute: str) -> float:
    metrics = json.loads(read_at(experiment, "reports/metrics.json"))
    return metrics["f1"] if attribute == "joint" else metrics[attribute]["f1"]


def counted(trial: FrozenTrial) -> bool:
    """Whether a trial ended, well or not: one that was killed has not, and is tried again."""
    return trial.state in (TrialState.COMPLETE, TrialState.PRUNED) or FAILED in trial.user_attrs


def search(study: optuna.Study, space: Space, model: str, section: Model, trials: int) -> None:
    """Ask for trials until the study has so many."""
    there = sum(map(counted, study.trials))
    now = {f"{model}.{name}": value for name, value in section.model_dump(mode="json").items()}
    commit, beside = git("rev-parse", "HEAD"), named_files()
    start = changes(commit, beside)
    for _ in progress(range(there, trials), "searching", unit="trial"):
        trial = study.ask(space)
        overrides = overrides_of(trial)
        overrides |= {key: value for key, value in now.items() if key in overrides and trial.params[key] == value}
        try:
            check(overrides, read_yaml(FILE), dict.fromkeys(overrides, f"trial {trial.number}"))
        except UserError as error:
            say(f"refused: {error}", sys.stdout)
            study.tell(trial, state=TrialState.PRUNED)
            continue
        experiment = free_name(f"search-{model}-{trial.number}")
        trial.set_user_attr("experiment", experiment)
        say(experiment, sys.stdout)
        ended_well = run_trial(experiment, {key: value for key, value in overrides.items() if value != now[key]})
        if changes(commit, beside) != start:
            raise UserError(f"{experiment}: params.yaml, a table that it names, dvc.yaml or stages/ changed while it ran, so "
                            f"it may answer another question (dvc exp remove {experiment}); the same command begins anew")
        if ended_well:
            study.tell(trial, score_of(experiment, section.attribute))
            say(f"{experiment}: {study.trials[trial.number].value:.4f}; the best so far {study.best_value:.4f}", sys.stdout)
        else:
            trial.set_user_attr(FAILED, True)
            study.tell(trial, state=TrialState.FAIL)
            say(f"{experiment}: failed, see {LOGS / experiment}.log", sys.stdout)


def report(study: optuna.Study, attribute: str) -> str:
    """The best trials with what they set, how many there were, and the command that takes the best."""
    done = sorted(study.get_trials(states=[TrialState.COMPLETE]), key=lambda trial: -trial.value)
    failed, refused = (sum(counted(trial) and trial.state == state for trial in study.trials)
                       for state in (TrialState.FAIL, TrialState.PRUNED))
    counts = f"{len(done)} finished, {failed} failed, {refused} refused"
    if not done:
        raise UserError(f"no trial finished: {counts}; see {LOGS}")
    rows = [["experiment", "F1" if attribute == "joint" else f"{attribute} F1", *(key.split(".")[1] for key in done[0].params)]]
    for trial in done[:SHOWN]:
        values = (str(value) for value in overrides_of(trial).values())
        rows.append([trial.user_attrs["experiment"], f"{trial.value:.4f}", *values])
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, "", f"{counts}; to take the best: dvc exp apply {rows[1][0]}",
                      "The people it is scored by have chosen it: compare it to others on another fold or seed."])


def main():
    parser = argparse.ArgumentParser(prog="python -m tools.search", description=__doc__.split("\n\n")[0])
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--trials", type=int, default=20, help="that the study is to have, 20 by default")
    parser.add_argument("--space", default="default", help="a file of recipes/search/, without .yaml")
    asked = parser.parse_args()
    if asked.trials < 1:
        raise UserError(f"--trials = {asked.trials}: must be 1 or more")
    section = section_of(asked.model)
    space = read_space(asked.space, asked.model, section)
    with alone(asked.model):
        study = open_study(asked.model, space, section)
        search(study, space, asked.model, section, asked.trials)
    print(report(study, section.attribute))


if __name__ == "__main__":
    run(main)
