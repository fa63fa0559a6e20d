"""What a model learns and what it is scored by: classes from labels by name or age in years."""
import numpy as np
import pandas as pd

from stages.lib.classes import BORDERS, VALUES, age_group
from stages.lib.params import Model


def classes_of(labels: pd.DataFrame, borders=BORDERS) -> np.ndarray:
    """Classes (N,) of labels as labels/<model>.csv holds them: a column an attribute, in the order of the 18 classes."""
    parts = [age_group(values.astype(int).to_numpy(), borders) if attribute == "age" else
             values.map({name: i for i, name in enumerate(VALUES[attribute])}).to_numpy(int)
             for attribute, values in labels.items()]
    return np.ravel_multi_index(parts, [len(VALUES[attribute]) for attribute in labels])


def for_training(p: Model, labels: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The targets (N,), and which photos (N,) it learns from: no age in `drop`.

    Targets are classes, by the model's own age borders; or years, where its loss is year_distribution.
    """
    if "age" not in p.attributes:
        return classes_of(labels), np.ones(len(labels), bool)
    years = labels.age.astype(int).to_numpy()
    dropped = np.zeros(len(years), bool)
    for first, last in p.drop:
        dropped |= (first <= years) & (years <= last)
    return years if p.loss == "year_distribution" else classes_of(labels, p.borders), ~dropped
