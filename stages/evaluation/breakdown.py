"""Breakdowns of the headline scores: a table for each of DVC's plots.

`scored` holds out-of-fold predictions, a row a photo (stages/evaluation/out_of_fold.py): class, mask, gender and age as
predicted, the ground truth of each with _true, class_0 ... class_17 (probabilities), found, years (the true age).
"""
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from stages.core.classes import ATTRIBUTES, CLASSES, VALUES
from stages.core.metrics import macro_f1

BINS = np.linspace(0, 1, 11)  # of the confidence: tenths


def marginals(probabilities: pd.DataFrame, attribute: str) -> np.ndarray:
    """Probabilities (N, C) of the values of one attribute, from columns class_0 ... class_17."""
    each = probabilities[[f"class_{i}" for i in range(len(CLASSES))]].to_numpy().reshape(-1, *map(len, VALUES.values()))
    return each.sum(tuple(axis for axis, other in enumerate(ATTRIBUTES, 1) if other != attribute))


def confidence(labelled: pd.DataFrame, attribute: str) -> np.ndarray:
    """Probability (N,) of the predicted value of an attribute; with class offsets it need not be the highest."""
    return marginals(labelled, attribute)[np.arange(len(labelled)), labelled[attribute]]


def f1_by_class(scored: pd.DataFrame) -> pd.DataFrame:
    """class, f1, photos: of the 18 classes."""
    f1 = f1_score(scored.class_true, scored["class"], labels=range(len(CLASSES)), average=None, zero_division=0)
    photos = np.bincount(scored.class_true, minlength=len(CLASSES))
    return pd.DataFrame({"class": CLASSES, "f1": f1, "photos": photos})


def reliability(scored: pd.DataFrame) -> pd.DataFrame:
    """Reliability diagram: series (attribute), confidence, accuracy, photos, a row for each tenth of the confidence.

    confidence is the mean probability of the predicted values; a calibrated model's equals its accuracy. Naeini et al.,
    "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015.
    """
    tables = []
    for attribute in ATTRIBUTES:
        chosen = confidence(scored, attribute)
        right = scored[attribute].to_numpy() == scored[f"{attribute}_true"].to_numpy()
        table = pd.DataFrame({"confidence": chosen, "accuracy": right, "photos": 1})
        tenth = np.digitize(chosen, BINS[1:-1])
        means = table.groupby(tenth).agg({"confidence": "mean", "accuracy": "mean", "photos": "sum"})
        tables.append(means.assign(series=attribute))
    return pd.concat(tables)[["series", "confidence", "accuracy", "photos"]]


def by_year(scored: pd.DataFrame) -> pd.DataFrame:
    """years, series (age group), share, photos: the share of photos of people of each age predicted as each age group."""
    shares = pd.crosstab(scored.years, scored.age, normalize="index").reindex(columns=range(3), fill_value=0.0)
    shares.columns = VALUES["age"]
    table = shares.reset_index().melt("years", var_name="series", value_name="share")
    return table.assign(photos=table.years.map(scored.years.value_counts()))


def f1_of_present(true: pd.Series, guess: pd.Series) -> float:
    """Macro F1 over the classes that occur in `true`; an absent one would count 0."""
    present, numbers = np.unique(true, return_inverse=True)
    guess = guess.map({value: i for i, value in enumerate(present)}).fillna(-1).astype(int)
    return macro_f1(numbers, guess, len(present))


def f1_by_group(scored: pd.DataFrame, column: str) -> pd.DataFrame:
    """`column`, photos, series (attribute), f1: macro F1 of each attribute for each value of `column`.

    f1 is over the attribute's values that occur among these photos.
    """
    rows = []
    for value, group in scored.groupby(column):
        for attribute in ATTRIBUTES:
            rows.append({column: value, "photos": len(group), "series": attribute,
                         "f1": f1_of_present(group[f"{attribute}_true"], group[attribute])})
    return pd.DataFrame(rows)


def learning_curves(models: list[str], folds: list[int]) -> pd.DataFrame:
    """series (model and fold), epoch (from 1), loss (training), f1 (macro, held-out fold), from dvclive's logs."""
    tables = []
    for model in models:
        for fold in folds:
            metrics = Path("models", model, str(fold), "live/plots/metrics")
            f1, loss = (pd.read_csv(metrics / f"{name}.tsv", sep="\t") for name in ("val/f1", "train/loss"))
            tables.append(pd.DataFrame({"series": f"{model}, fold {fold}", "epoch": f1.step + 1, "loss": loss.loss,
                                        "f1": f1.f1}))
    return pd.concat(tables)
