"""Ground truth of the training part's photos: the corrected labels of the listed models."""
import pandas as pd

from stages.core.classes import AGE, years_of
from stages.core.files import read_csv
from stages.core.metrics import CLASS
from stages.core.params import Params


def read_corrected(p: Params) -> pd.DataFrame:
    """photo, and each attribute as text, age in years, empty where missing: the corrected labels of the training part.

    Models of one attribute have the same labels, so the first listed provides them.
    """
    columns = {}
    for attribute in p.classes.attributes:
        name = (p.specialists(attribute) or p.joint)[0]
        columns[attribute] = read_csv(f"data/labels/{name}.csv", ["photo", attribute]).set_index("photo")[attribute]
    return pd.DataFrame(columns).rename_axis("photo").reset_index()


def read_years(p: Params) -> pd.Series | None:
    """The corrected age in years of each photo of the training part, indexed by photo, -1 where missing; None if no model
    learns age."""
    if AGE not in p.classes.attributes:
        return None
    labels = read_corrected(p).set_index("photo")
    return pd.Series(years_of(labels[AGE]), labels.index)


def read_truth(p: Params) -> pd.DataFrame:
    """Each attribute (official classes from 0) and the joint class, indexed by photo; -1 where missing."""
    labels = read_corrected(p).set_index("photo")
    values = {attribute: p.classes.values_of(attribute, labels[attribute]) for attribute in p.classes.attributes}
    return pd.DataFrame(values | {CLASS: p.classes.number(labels)}, labels.index)
