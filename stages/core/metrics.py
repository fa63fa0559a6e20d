"""The contest's score, by scikit-learn: macro F1 over a fixed list of classes; a class never predicted counts 0."""
import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from stages.core.classes import ATTRIBUTES, CLASSES, VALUES, decode


def macro_f1(true, predicted, classes: int) -> float:
    """Macro F1 over classes 0 to classes - 1; true, predicted: (N,)."""
    return float(f1_score(true, predicted, labels=range(classes), average="macro", zero_division=0))


def scores(true: np.ndarray, predicted: np.ndarray) -> dict:
    """f1 and accuracy of the 18 classes and of each attribute, and F1 by class; true, predicted: (N,), 0 to 17."""
    out = {"f1": macro_f1(true, predicted, len(CLASSES)), "accuracy": float(accuracy_score(true, predicted))}
    for attribute, a, b in zip(ATTRIBUTES, decode(true), decode(predicted)):
        out[attribute] = {"f1": macro_f1(a, b, len(VALUES[attribute])), "accuracy": float(accuracy_score(a, b))}
    each = f1_score(true, predicted, labels=range(len(CLASSES)), average=None, zero_division=0)
    out["f1_by_class"] = {name: float(f1) for name, f1 in zip(CLASSES, each)}
    return out


def shares(true: np.ndarray, predicted: np.ndarray) -> dict:
    """Share of each class among the labels and among the predictions."""
    count = len(CLASSES)
    label, guess = (np.bincount(v, minlength=count) / max(1, len(v)) for v in (true, predicted))
    return {name: {"label": float(a), "predicted": float(b)} for name, a, b in zip(CLASSES, label, guess)}
