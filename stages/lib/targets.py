"""What a model learns and what it is scored by: classes from labels by name or age in years."""
import numpy as np
import pandas as pd

from stages.lib.classes import VALUES, age_group
from stages.lib.params import Model


def official(attribute: str, labels: pd.Series) -> np.ndarray:
    """Classes (N,) of labels as labels/<model>.csv holds them, by the contest's rule: age borders 30 and 60."""
    if attribute == "age":
        return age_group(labels.astype(int).to_numpy())
    return labels.map({name: i for i, name in enumerate(VALUES[attribute])}).to_numpy()


def for_training(p: Model, labels: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Classes (N,) with the model's own age borders, and which photos (N,) it learns from: no age in `drop`."""
    if p.attribute != "age":
        return official(p.attribute, labels), np.ones(len(labels), bool)
    years = labels.astype(int).to_numpy()
    dropped = np.zeros(len(years), bool)
    for first, last in p.drop:
        dropped |= (first <= years) & (years <= last)
    return age_group(years, p.borders), ~dropped
