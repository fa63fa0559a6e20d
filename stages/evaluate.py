"""Score the out-of-fold predictions. Run: python -m stages.evaluate

Reads   data/combined.parquet, data/labels/, data/boxes.csv, data/unreadable.csv, data/photos.csv, data/folds.csv, and
        the learning curves of models/
Writes  reports/metrics.json       macro F1 and accuracy of the 18 classes and of each attribute, with 95% intervals of F1
                                   by bootstrap over people, and breakdowns
        reports/plots/labels.csv   photo, person, and true and predicted labels of every scored photo
        reports/plots/*.csv        tables of DVC's other plots, see stages/evaluation/breakdown.py
"""
import pandas as pd

from stages.core.classes import ATTRIBUTES, CLASSES, VALUES
from stages.core.command_line import run
from stages.core.files import read_csv, write_csv, write_json
from stages.core.metrics import scores, shares
from stages.core.params import read_params
from stages.evaluation.bootstrap import interval, scores_of_draws
from stages.evaluation.breakdown import by_year, f1_by_class, f1_by_group, f1_of_present, learning_curves, reliability
from stages.evaluation.ground_truth import read_truth, read_years
from stages.evaluation.out_of_fold import read_out_of_fold


def by_how_found(scored: pd.DataFrame) -> dict:
    """Photos, accuracy, and macro F1 over the classes that occur, for each way a face was found."""
    out = {}
    for found, group in scored.groupby("found"):
        out[found] = {"photos": len(group), "f1": f1_of_present(group.class_true, group["class"]),
                      "accuracy": float((group.class_true == group["class"]).mean())}
    return out


def intervals(true, guess, people) -> dict:
    """95% intervals of macro F1, of the 18 classes ("f1") and of each attribute; true, guess: (N,) classes, people: (N,)."""
    draws = scores_of_draws(true, guess, people)
    return {name: dict(zip(("low", "high"), interval(values))) for name, values in draws.items()}


def main():
    p = read_params()
    scored = read_out_of_fold(pd.read_parquet("data/combined.parquet"), read_truth(p), read_years(p))
    unreadable = read_csv("data/unreadable.csv", ["photo", "part"])
    true, guess = scored["class_true"].to_numpy(), scored["class"].to_numpy()

    metrics = scores(true, guess) | {"interval": intervals(true, guess, scored.person.to_numpy())}
    metrics |= {"people": int(scored.person.nunique()), "photos": len(scored)}
    metrics |= {"unreadable": {part: int((unreadable.part == part).sum()) for part in ("train", "eval")}}
    metrics |= {"by_how_found": by_how_found(scored), "shares": shares(true, guess)}
    write_json(metrics, "reports/metrics.json")

    names = {"class": CLASSES, **VALUES}
    columns = {a: (scored[f"{a}_true"].map(dict(enumerate(n))), scored[a].map(dict(enumerate(n)))) for a, n in names.items()}
    labels = {f"{a}_{side}": values for a, pair in columns.items() for side, values in zip(("true", "predicted"), pair)}
    tables = {"labels": pd.DataFrame({"photo": scored.photo, "person": scored.person, **labels}),
              "classes": f1_by_class(scored), "reliability": reliability(scored), "years": by_year(scored),
              "wearing": f1_by_group(scored, "wearing"), "found": f1_by_group(scored, "found"),
              "curves": learning_curves(p.models, p.folds)}
    for name, table in tables.items():
        write_csv(table, f"reports/plots/{name}.csv")
    print(f"macro F1 {metrics['f1']:.4f}, accuracy {metrics['accuracy']:.4f} on {metrics['photos']} photos of "
          f"{metrics['people']} people;", ", ".join(f"{a} {metrics[a]['f1']:.4f}" for a in ATTRIBUTES))


if __name__ == "__main__":
    run(main, words=False)
