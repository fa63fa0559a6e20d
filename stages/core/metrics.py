"""The contest's score, by scikit-learn: macro F1 over a fixed list of classes; a class never predicted counts 0.

Values and classes are numbers from 0. The true one is -1 where the label is missing, and such a photo does not count.
"""
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score

from stages.core.classes import Classes

CLASS = "class"  # the column of joint classes


def macro_f1(true, predicted, classes: int) -> float:
    """Macro F1 over classes 0 to classes - 1; true, predicted: (N,)."""
    return float(f1_score(true, predicted, labels=range(classes), average="macro", zero_division=0))


def with_values(number: np.ndarray, classes: Classes) -> pd.DataFrame:
    """A column an attribute, and CLASS, of joint classes (N,) that are all known."""
    return pd.DataFrame({**dict(zip(classes.attributes, classes.decode(number))), CLASS: number})


def score(true: np.ndarray, predicted: np.ndarray, classes: int) -> dict:
    """f1, accuracy and photos, those whose label is known; f1 and accuracy are None without any."""
    known = true >= 0
    true, predicted = true[known], predicted[known]
    if not len(true):
        return {"f1": None, "accuracy": None, "photos": 0}
    return {"f1": macro_f1(true, predicted, classes), "accuracy": float(accuracy_score(true, predicted)), "photos": len(true)}


def scores(true: pd.DataFrame, predicted: pd.DataFrame, classes: Classes) -> dict:
    """f1, accuracy and photos of the joint classes and of each attribute, and F1 by joint class.

    true, predicted: (N rows) a column an attribute, and CLASS.
    """
    out = score(true[CLASS].to_numpy(), predicted[CLASS].to_numpy(), classes.count)
    for attribute, values in classes.values.items():
        out[attribute] = score(true[attribute].to_numpy(), predicted[attribute].to_numpy(), len(values))
    return out | {"f1_by_class": dict(zip(classes.names, f1_by_class(true[CLASS], predicted[CLASS], classes.count)))}


def f1_by_class(true, predicted, classes: int) -> list[float]:
    """F1 of each class, 0 without photos; true, predicted: (N,) numbers, -1 where the label is missing."""
    known = np.asarray(true) >= 0
    if not known.any():
        return [0.0] * classes
    true, predicted = np.asarray(true)[known], np.asarray(predicted)[known]
    return [float(f1) for f1 in f1_score(true, predicted, labels=range(classes), average=None, zero_division=0)]


def shares(true: np.ndarray, predicted: np.ndarray, classes: Classes) -> dict:
    """Share of each class among the labels and among the predictions of the photos whose label is known."""
    known = true >= 0
    label, guess = (np.bincount(v[known], minlength=classes.count) / max(1, known.sum()) for v in (true, predicted))
    return {name: {"label": float(a), "predicted": float(b)} for name, a, b in zip(classes.names, label, guess)}
