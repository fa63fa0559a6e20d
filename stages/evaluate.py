"""Score the out-of-fold predictions. Run: python -m stages.evaluate

Reads   data/combined.parquet, data/labels/, data/boxes.csv, data/unreadable.csv, data/photos.csv, data/folds.csv, and
        the learning curves of models/
Writes  reports/metrics.json       macro F1 and accuracy of the joint classes and of each attribute, over the photos whose
                                   labels are known, with 95% intervals of F1 by bootstrap over people, and breakdowns
        reports/plots/labels.csv   photo, person, and true and predicted labels of every scored photo
        reports/plots/*.csv        tables of DVC's other plots, see stages/evaluation/breakdown.py
"""
import pandas as pd

from stages.core.classes import Classes
from stages.core.command_line import run
from stages.core.files import read_csv, write_csv, write_json
from stages.core.metrics import CLASS, scores, shares
from stages.core.params import read_params
from stages.evaluation.bootstrap import interval, scores_of_draws
from stages.evaluation.breakdown import by_class, by_year, f1_by_group, f1_of_present, learning_curves, reliability
from stages.evaluation.ground_truth import read_truth, read_years
from stages.evaluation.out_of_fold import read_combined, read_out_of_fold
from stages.evaluation.plots import PLOTS


def by_how_found(scored: pd.DataFrame) -> dict:
    """Photos, accuracy, and macro F1 over the classes that occur, for each way a face was found."""
    out = {}
    for found, group in scored[scored.class_true >= 0].groupby("found"):
        out[found] = {"photos": len(group), "f1": f1_of_present(group.class_true, group["class"]),
                      "accuracy": float((group.class_true == group["class"]).mean())}
    return out


def score(scored: pd.DataFrame, classes: Classes) -> dict:
    """The scores, and 95% intervals of macro F1, of the joint classes ("f1") and of each attribute that has labels."""
    columns = [*classes.attributes, CLASS]
    true = scored[[f"{column}_true" for column in columns]].set_axis(columns, axis=1)
    out = scores(true, scored[columns], classes)
    draws = scores_of_draws(true, scored[columns], scored.person.to_numpy(), classes)
    known = {"f1": out["photos"], **{attribute: out[attribute]["photos"] for attribute in classes.attributes}}
    return out | {"interval": {name: dict(zip(("low", "high"), interval(values))) for name, values in draws.items()
                               if known[name]}}


def said(metrics: dict, classes: Classes) -> str:
    """The scores, and over what they are."""
    each = ", ".join(f"{a} " + (f"{metrics[a]['f1']:.4f}" if metrics[a]["photos"] else "without labels")
                     + f" ({metrics[a]['photos']} photos)" * (0 < metrics[a]["photos"] < metrics["scored"])
                     for a in classes.attributes)
    over = f"{classes.count} classes ({' x '.join(classes.attributes)})"
    if not metrics["photos"]:
        return f"no photo has labels of all attributes, so {over} have no score; {each}"
    return (f"macro F1 {metrics['f1']:.4f}, accuracy {metrics['accuracy']:.4f} over {over} on {metrics['photos']} photos of "
            f"{metrics['people']} people; {each}")


def main():
    p = read_params()
    classes = p.classes
    scored = read_out_of_fold(read_combined(classes), read_truth(p), read_years(p), classes)
    unreadable = read_csv("data/unreadable.csv", ["photo", "part"])

    metrics = score(scored, classes)
    metrics |= {"people": int(scored.person.nunique()), "scored": len(scored), "classes": classes.count}
    metrics |= {"unreadable": {part: int((unreadable.part == part).sum()) for part in ("train", "eval")}}
    metrics |= {"by_how_found": by_how_found(scored),
                "shares": shares(scored.class_true.to_numpy(), scored[CLASS].to_numpy(), classes)}

    names = {CLASS: classes.names, **classes.values}
    columns = {a: (scored[f"{a}_true"].map(dict(enumerate(n))), scored[a].map(dict(enumerate(n)))) for a, n in names.items()}
    labels = {f"{a}_{side}": values for a, pair in columns.items() for side, values in zip(("true", "predicted"), pair)}
    tables = {"labels": pd.DataFrame({"photo": scored.photo, "person": scored.person, **labels}),
              "classes": by_class(scored, classes), "reliability": reliability(scored, classes),
              "years": by_year(scored, classes), "wearing": f1_by_group(scored, "wearing", classes),
              "found": f1_by_group(scored, "found", classes),
              "curves": learning_curves(p.models, p.folds)}
    for name, table in tables.items():
        write_csv(table, PLOTS / f"{name}.csv")
    write_json(metrics, "reports/metrics.json")
    print(said(metrics, classes))


if __name__ == "__main__":
    run(main, words=False)
