"""Write the tables and curves of the comparisons into reports/ from their experiments. Run: python -m tools.results

The table has a row for each run of recipes/runs/SIZE.yaml, in its order: macro F1 of the 18 classes and of each attribute,
with 95% intervals by bootstrap over people; the paired difference to the first run, if both scored the same people; the
seconds of training that this machine logged; and the command. Runs whose names differ by `, seed N` at the end make one row,
of their mean, with intervals over people and seeds. It also lists runs without an experiment, and runs whose experiment has
other parameters than its recipes and the committed params.yaml give today. Results are of the code of the experiment's commit.

Writes  reports/results.md       between the lines `<!-- SIZE -->` and `<!-- end of SIZE -->`, unless this clone has no
                                 experiment of that size
        reports/SIZE-curves.png  learning curves
        reports/SIZE-labels.csv  each run's predictions, for tools.compare in clones without the experiments
"""
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import dvc.api
import numpy as np
import pandas as pd
from dvc.exceptions import DvcException

from stages.core.classes import CONTEST
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.files import write_csv
from stages.core.yaml_file import load
from stages.evaluation.bootstrap import interval
from tools.compare import draws_of, score_of
from tools.runs import LOGS, RUNS, TRAINED, differing_keys, experiment_of, read_runs
from tools.shared.learning_curves import draw_curves
from tools.shared.revisions import git, params_at, read_labels, revisions

REPORT = Path("reports/results.md")


@dataclass
class Result:
    """Result of one experiment; labels: photo, person, true and guess (0 to 17) of every scored photo, sorted by photo."""

    labels: pd.DataFrame
    params: dict
    seconds: float | None
    curves: dict[str, list[float]]


class Setting:
    """The results of one setting, by seed; scores and bootstrap draws are of their mean."""

    def __init__(self, results: list[Result]):
        self.results = results
        self.labels = [result.labels for result in results]

    def draws(self, seed: int = 0) -> dict[str, np.ndarray]:
        return draws_of(self.labels, seed, CONTEST)

    def scores(self) -> dict[str, float]:
        return score_of(self.labels, CONTEST)

    def scored_as(self, other: "Setting") -> bool:
        """Whether both are of the same photos and labels."""
        return all(labels[["photo", "true"]].equals(other.labels[0][["photo", "true"]]) for labels in self.labels)


def settings_of(names: Iterable[str]) -> dict[str, list[str]]:
    """The runs of each setting: those that differ in name by `, seed N` at the end."""
    settings: dict[str, list[str]] = {}
    for name in names:
        settings.setdefault(re.sub(r", seed \d+$", "", name), []).append(name)
    return settings


def read_result(revision: str) -> Result:
    params = params_at(revision)
    stages = load(git("show", f"{revision}:./dvc.lock"))["stages"]
    logged = dict(line.split(",") for line in TRAINED.read_text().splitlines()) if TRAINED.is_file() else {}
    trained = [stages[f"train@{model}-{fold}"]["outs"][0]["md5"] for model in params["models"] for fold in params["folds"]]
    seconds = sum(float(logged[md5]) for md5 in trained) if logged.keys() >= set(trained) else None
    curves = {model: read_curve(revision, model, params["folds"][0]) for model in params["models"]}
    return Result(read_labels(revision), params, seconds, curves)


def read_curve(revision: str, model: str, fold: int) -> list[float]:
    """Macro F1 of the held-out fold after each epoch; empty if the cache lacks it."""
    file = f"models/{model}/{fold}/live/plots/metrics/val/f1.tsv"
    try:
        return pd.read_csv(io.StringIO(dvc.api.read(file, rev=revision)), sep="\t").f1.tolist()
    except (DvcException, OSError):
        return []


def with_interval(value: float, draws: np.ndarray, sign: str = "") -> str:
    low, high = np.clip(interval(draws), -1, 1)  # of few seeds it may reach further
    return f"{value:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def difference_of(setting: Setting, base: Setting | None) -> str:
    """The table's cell of the paired difference in macro F1 to the base, if any; * if its interval does not hold 0."""
    if base is None or setting is base:
        return ""
    if not setting.scored_as(base):
        return "other people or labels"
    draws = setting.draws(1)["f1"] - base.draws(0)["f1"]  # other seeds each, and the same people
    low, high = interval(draws)
    return with_interval(setting.scores()["f1"] - base.scores()["f1"], draws, "+") + ("" if low <= 0 <= high else " *")


def row_of(setting: Setting, base: Setting | None) -> list[str]:
    """A setting's cells: macro F1, and of each seed if several; difference to the base; F1 of each attribute; mean seconds."""
    score, draws, results = setting.scores(), setting.draws(), setting.results
    each = ", ".join(f"{Setting([result]).scores()['f1']:.3f}" for result in results) if len(results) > 1 else ""
    seconds = [result.seconds for result in results]
    return [with_interval(score["f1"], draws["f1"]) + f"; {each}" * bool(each), difference_of(setting, base),
            *(with_interval(score[a], draws[a]) for a in CONTEST.attributes),
            "" if None in seconds else f"{np.mean(seconds):.0f}"]


def table_of(size: str, runs: dict[str, list[str]], results: dict[str, Result]) -> str:
    """The table in Markdown, a line for each run, with a result or not. A result of other parameters does not count."""
    outdated = {name: differing_keys(result.params, runs[name]) for name, result in results.items()}
    settings = settings_of(runs)
    first = next(iter(settings))
    valid = {setting: Setting([results[name] for name in names if name in results and not outdated[name]])
             for setting, names in settings.items()}
    base = valid[first] if valid[first].results else None
    head = ["run", "macro F1", f"against {first}", *(f"{a} F1" for a in CONTEST.attributes), "training, s", "command"]
    lines = [head, ["---"] * len(head)]
    for setting, names in settings.items():
        recipes, values = ([w for w in runs[names[0]] if ("=" in w) == is_value] for is_value in (False, True))
        command = f"`make recipe NAME=\"{' '.join(recipes)}\"" + (f" SET=\"{' '.join(values)}\"`" if values else "`")
        seeds = f" ({len(valid[setting].results)} of {len(names)} seeds)" * (len(names) > 1)
        if valid[setting].results:
            cells = row_of(valid[setting], base)
        elif keys := outdated.get(names[0]):
            cells = [f"its experiment has another {', '.join(keys)}; remove it, and run it again", *[""] * 5]
        else:
            tried = (LOGS / f"{experiment_of(size, names[0])}.log").is_file()
            cells = ["failed, or still running" if tried else "not run yet", *[""] * 5]
        lines.append([setting + seeds, *cells, command])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def side_by_side(labels: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """photo, person and true of the first run, and a column of predictions for each run that scored the same photos."""
    columns = ["photo", "person", "true"]
    first = next(iter(labels.values()))[columns]
    return first.assign(**{name: table.guess for name, table in labels.items() if table[columns].equals(first)})


def replace_table(text: str, size: str, table: str) -> str:
    """The report with the table of that size replaced."""
    start, end = f"<!-- {size} -->", f"<!-- end of {size} -->"
    if text.count(start) != 1 or text.count(end) != 1:
        raise UserError(f"{REPORT}: has no lines {start} and {end}, between which the table goes")
    return re.sub(f"{start}.*{end}", lambda _: f"{start}\n{table}\n{end}", text, flags=re.DOTALL)


def main():
    found = revisions()
    for size in sorted(file.stem for file in RUNS.glob("*.yaml")):
        runs = read_runs(size)
        commits = {name: found[experiment_of(size, name)] for name in runs if experiment_of(size, name) in found}
        results = {name: read_result(commit) for name, commit in commits.items()}
        text = replace_table(REPORT.read_text(), size, table_of(size, runs, results))
        if results:
            REPORT.write_text(text)
        if valid := {name: result for name, result in results.items() if not differing_keys(result.params, runs[name])}:
            curves = {setting: valid[names[0]].curves for setting, names in settings_of(valid).items()}  # of one seed each
            draw_curves(curves, Path(f"reports/{size}-curves.png"))
            labels = {experiment_of(size, name): result.labels for name, result in valid.items()}
            write_csv(side_by_side(labels), f"reports/{size}-labels.csv")
        print(f"{size}: {len(results)} of {len(runs)} runs" + ("" if results else ", so its table stays as it is"))


if __name__ == "__main__":
    run(main, words=False)
