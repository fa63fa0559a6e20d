"""Breakdowns of the headline scores: a table for each of DVC's plots.

`scored` holds out-of-fold predictions, a row a photo (stages/evaluation/out_of_fold.py): class and attributes as predicted,
the ground truth of each with _true, class_0, class_1, ... (probabilities), found, years (the true age). Photos whose label is
missing, -1, do not count.
"""
from pathlib import Path

import numpy as np
import pandas as pd

from stages.core.classes import AGE, Classes
from stages.core.metrics import f1_by_class, macro_f1
from stages.evaluation.tables import read_table

BINS = np.linspace(0, 1, 11)  # of the confidence: tenths


def joint_of(probabilities: pd.DataFrame, classes: Classes) -> np.ndarray:
    """Probabilities (N, classes.count) of the joint classes, from columns class_0, class_1, ..."""
    return probabilities[[f"class_{i}" for i in range(classes.count)]].to_numpy()


def marginals(probabilities: pd.DataFrame, attribute: str, classes: Classes) -> np.ndarray:
    """Probabilities (N, C) of the values of one attribute, from columns class_0, class_1, ..."""
    each = joint_of(probabilities, classes).reshape(-1, *classes.sizes)
    return each.sum(tuple(axis for axis, other in enumerate(classes.attributes, 1) if other != attribute))


def confidence(labelled: pd.DataFrame, attribute: str, classes: Classes) -> np.ndarray:
    """Probability (N,) of the predicted value of an attribute; with class offsets it need not be the highest."""
    return marginals(labelled, attribute, classes)[np.arange(len(labelled)), labelled[attribute]]


def by_class(scored: pd.DataFrame, classes: Classes) -> pd.DataFrame:
    """class, f1, photos: of the joint classes."""
    photos = np.bincount(scored.class_true[scored.class_true >= 0], minlength=classes.count)
    return pd.DataFrame({"class": classes.names, "f1": f1_by_class(scored.class_true, scored["class"], classes.count),
                         "photos": photos})


def reliability(scored: pd.DataFrame, classes: Classes) -> pd.DataFrame:
    """Reliability diagram: series (attribute), confidence, accuracy, photos, a row for each tenth of the confidence.

    confidence is the mean probability of the predicted values; a calibrated model's equals its accuracy. Naeini et al.,
    "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015.
    """
    tables = []
    for attribute in classes.attributes:
        known = scored[scored[f"{attribute}_true"] >= 0]
        chosen = confidence(known, attribute, classes)
        right = known[attribute].to_numpy() == known[f"{attribute}_true"].to_numpy()
        table = pd.DataFrame({"confidence": chosen, "accuracy": right, "photos": 1})
        tenth = np.digitize(chosen, BINS[1:-1])
        means = table.groupby(tenth).agg({"confidence": "mean", "accuracy": "mean", "photos": "sum"})
        tables.append(means.assign(series=attribute))
    return pd.concat(tables)[["series", "confidence", "accuracy", "photos"]]


def by_year(scored: pd.DataFrame, classes: Classes) -> pd.DataFrame:
    """years, series (age group), share, photos: the share of photos of people of each age predicted as each age group.

    Without rows if no model learns age.
    """
    if AGE not in classes.values:
        return pd.DataFrame(columns=["years", "series", "share", "photos"])
    known, names = scored[scored.years >= 0], classes.values[AGE]
    shares = pd.crosstab(known.years, known.age, normalize="index").reindex(columns=range(len(names)), fill_value=0.0)
    shares.columns = names
    table = shares.reset_index().melt("years", var_name="series", value_name="share")
    return table.assign(photos=table.years.map(known.years.value_counts()))


def f1_of_present(true: pd.Series, guess: pd.Series) -> float:
    """Macro F1 over the classes that occur in `true`, which are known; an absent one would count 0."""
    present, numbers = np.unique(true, return_inverse=True)
    guess = guess.map({value: i for i, value in enumerate(present)}).fillna(-1).astype(int)
    return macro_f1(numbers, guess, len(present))


def f1_by_group(scored: pd.DataFrame, column: str, classes: Classes) -> pd.DataFrame:
    """`column`, photos, series (attribute), f1: macro F1 of each attribute for each value of `column`, if there is one.

    f1 is over the attribute's values that occur among these photos; photos counts all of the group.
    """
    rows = []
    for value, group in scored.groupby(column) if column in scored else ():
        for attribute in classes.attributes:
            known = group[group[f"{attribute}_true"] >= 0]
            if len(known):
                rows.append({column: value, "photos": len(group), "series": attribute,
                             "f1": f1_of_present(known[f"{attribute}_true"], known[attribute])})
    return pd.DataFrame(rows, columns=[column, "photos", "series", "f1"])


def learning_curves(models: list[str], folds: list[int]) -> pd.DataFrame:
    """series (model and fold), epoch (from 1), loss (training), f1 (macro, held-out fold), from dvclive's logs."""
    tables = []
    for model in models:
        for fold in folds:
            folder = Path("models", model, str(fold))
            f1, loss = (read_table(folder / f"live/plots/metrics/{name}.tsv", [], ["step", name.split("/")[1]],
                                   f"train@{model}-{fold}", folder) for name in ("val/f1", "train/loss"))
            tables.append(pd.DataFrame({"series": f"{model}, fold {fold}", "epoch": f1.step + 1, "loss": loss.loss,
                                        "f1": f1.f1}))
    return pd.concat(tables)
