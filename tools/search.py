"""Search parameters of one model with Optuna. Run: python -m tools.search MODEL [--trials 20] [--space default]

Each trial is a DVC experiment, search-MODEL-N, with other values in the model's section. The best has the highest macro F1
of the model's attribute (for a joint model, of the joint classes) on held-out people, by the vote of all listed models.
Optuna's TPE (Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization") suggests the values: first those of
params.yaml, then nine random trials, then values like the good ones. recipes/search/SPACE.yaml is the search space.

Trials run in folders of their own (`dvc exp run --temp`), so the workspace is not touched. Each starts from the current
workspace, so a change of params.yaml, a table that it names, dvc.yaml or stages/ ends the search. --trials counts all
trials that ended, including failed ones and those that the schema refused. The same command resumes a killed search, and
first repeats the trial that was running. A study is identified by its space and all other parameters, not by code or data;
logs/search/ holds the studies and the output of each trial.
"""
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

from labeller.parser import Parser
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.model_params import Model
from stages.core.params import FILE, read_params, with_training
from stages.core.progress import progress, say
from stages.core.yaml_file import read_yaml
from tools.recipe import free_name
from tools.shared.overrides import check, settings_of
from tools.shared.revisions import git, read_at
from tools.shared.search_space import Space, read_space

LOGS = Path("logs/search")
FAILED = "failed"  # marks a trial that failed, to tell it from a killed one
SHOWN = 10  # trials in the report, best first


def section_of(name: str) -> Model:
    """The section of a listed model; raises UserError naming the listed ones."""
    params = read_params()
    if name not in params.models:
        raise UserError(f"{name!r}: no model that {FILE} trains; models: {', '.join(params.models)}")
    return params.sections[name]


def open_study(model: str, space: Space, section: Model) -> optuna.Study:
    """The study of this model, space and rest of params.yaml, except `machine`, which affects no result."""
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
        study.enqueue_trial(values_in_space(space, section.model_dump(mode="json")))
    # Seeded by the number of trials, so that a resumed search does not repeat its first random ones.
    study.sampler = optuna.samplers.TPESampler(seed=len(study.trials), n_startup_trials=10)
    for trial in study.get_trials(states=[TrialState.RUNNING]):  # whose search was killed
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
    return study


def values_in_space(space: Space, values: dict) -> dict:
    """The values of a section that lie in the space; Optuna draws the rest, and those that are null."""
    own = {key: values[key.split(".")[1]] for key in space}
    own |= {key: json.dumps(own[key]) for key, kind in space.items() if isinstance(kind, CategoricalDistribution)}
    return {key: own[key] for key, kind in space.items() if own[key] is not None and
            (own[key] in kind.choices if isinstance(kind, CategoricalDistribution) else kind.low <= own[key] <= kind.high)}


@contextmanager
def exclusive(model: str):
    """Lock out a second search of the model in this folder with a UserError: each would take the other's trial as killed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with open(LOGS / f"{model}.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"{model}: another search of it runs in this folder") from None
        yield


def changes(commit: str, files: list[str]) -> str:
    """All differences to the commit that can affect a trial's result; files: further ones, which git may not track."""
    new = git("ls-files", "--others", "--exclude-standard", "--", "stages").splitlines()
    contents = [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in (*new, *files) if Path(file).is_file()]
    return "\n".join([git("diff", commit, "--", str(FILE), "dvc.yaml", "stages", "data"), *new, *contents])


def as_parameter(value: str | float) -> object:
    """A suggested value for params.yaml: floats are rounded to three digits, so that the report shows the values that ran."""
    if isinstance(value, str):
        return json.loads(value)
    return float(f"{value:.3g}") if isinstance(value, float) else value


def overrides_of(trial: Trial | FrozenTrial) -> dict:
    return {key: as_parameter(value) for key, value in trial.params.items()}


def named_files() -> list[str]:
    """The folder of photos, tables and weights that params.yaml names."""
    params = read_params()
    of_models = [file for name in params.models for file in (params.sections[name].weights, params.sections[name].pseudo)]
    return [f for f in dict.fromkeys([params.data.root, params.labels.corrections, *of_models]) if f]


def copy_options() -> list[str]:
    """Options to copy untracked photos, tables and weights into a trial's folder; git and DVC bring what they track."""
    files = map(Path, named_files())
    untracked = [file for file in files if file != Path("data/sample") and not file.with_name(f"{file.name}.dvc").is_file()]
    return [word for file in untracked if not file.is_absolute() for word in ("--copy-paths", str(file))]


def run_trial(experiment: str, overrides: dict) -> bool:
    """Run one experiment; returns whether it succeeded. Without overrides, DVC's cache has the result."""
    command = ["dvc", "exp", "run", "--temp", "--name", experiment, *copy_options(), *settings_of(overrides, read_yaml(FILE))]
    with open(LOGS / f"{experiment}.log", "w") as log:
        print(shlex.join(command), file=log, flush=True)
        return subprocess.run(command, check=False, stdout=log, stderr=subprocess.STDOUT).returncode == 0


def score_of(experiment: str, attribute: str) -> float:
    metrics = json.loads(read_at(experiment, "reports/metrics.json"))
    return metrics["f1"] if attribute == "joint" else metrics[attribute]["f1"]


def has_ended(trial: FrozenTrial) -> bool:
    """Whether a trial ended, even by failing; a killed one has not, and is repeated."""
    return trial.state in (TrialState.COMPLETE, TrialState.PRUNED) or FAILED in trial.user_attrs


def search(study: optuna.Study, space: Space, model: str, section: Model, trials: int) -> None:
    """Run trials until the study has this many."""
    ended = sum(map(has_ended, study.trials))
    current = {f"{model}.{name}": value for name, value in section.model_dump(mode="json").items()}
    commit, files = git("rev-parse", "HEAD"), named_files()
    start = changes(commit, files)
    for _ in progress(range(ended, trials), "searching", unit="trial"):
        trial = study.ask(space)
        overrides = overrides_of(trial)
        overrides |= {key: value for key, value in current.items() if key in overrides and trial.params[key] == value}
        try:
            check(overrides, read_yaml(FILE), dict.fromkeys(overrides, f"trial {trial.number}"))
        except UserError as error:
            say(f"refused: {error}", sys.stdout)
            study.tell(trial, state=TrialState.PRUNED)
            continue
        experiment = free_name(f"search-{model}-{trial.number}")
        trial.set_user_attr("experiment", experiment)
        say(experiment, sys.stdout)
        succeeded = run_trial(experiment, {key: value for key, value in overrides.items() if value != current[key]})
        if changes(commit, files) != start:
            raise UserError(f"{experiment}: params.yaml, a table that it names, dvc.yaml or stages/ changed while it ran, so "
                            f"it may answer another question (dvc exp remove {experiment}); the same command begins anew")
        if succeeded:
            study.tell(trial, score_of(experiment, section.attribute))
            say(f"{experiment}: {study.trials[trial.number].value:.4f}; the best so far {study.best_value:.4f}", sys.stdout)
        else:
            trial.set_user_attr(FAILED, True)
            study.tell(trial, state=TrialState.FAIL)
            say(f"{experiment}: failed, see {LOGS / experiment}.log", sys.stdout)


def report(study: optuna.Study, attribute: str) -> str:
    """The printed text: the best trials with their values, the number of trials, and the command that applies the best."""
    done = sorted(study.get_trials(states=[TrialState.COMPLETE]), key=lambda trial: -trial.value)
    failed, refused = (sum(has_ended(trial) and trial.state == state for trial in study.trials)
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
    parser = Parser(prog="python -m tools.search", description=__doc__.split("\n\n")[0])
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--trials", type=int, default=20, help="number of trials in the study; default %(default)s")
    parser.add_argument("--space", default="default", help="a file of recipes/search/, without .yaml; default %(default)s")
    args = parser.parse_args()
    if args.trials < 1:
        raise UserError(f"--trials = {args.trials}: must be 1 or more")
    section = section_of(args.model)
    space = read_space(args.space, args.model, section)
    with exclusive(args.model):
        study = open_study(args.model, space, section)
        search(study, space, args.model, section, args.trials)
    print(report(study, section.attribute))


if __name__ == "__main__":
    run(main)
