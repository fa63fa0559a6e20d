"""The true class of every photo of the training part, from the labels that the listed models learn."""
import pandas as pd

from stages.core.classes import ATTRIBUTES, classes_of, encode
from stages.core.files import read_csv
from stages.core.params import Params


def read_corrected(p: Params) -> pd.DataFrame:
    """photo, mask, gender and age (years), as text: the labels of the training part, corrected."""
    columns = {}
    for attribute in ATTRIBUTES:
        name = (p.specialists(attribute) or p.joint)[0]
        columns[attribute] = read_csv(f"data/labels/{name}.csv", ["photo", attribute]).set_index("photo")[attribute]
    return pd.DataFrame(columns).loc[read_truth(p).index].rename_axis("photo").reset_index()


def read_years(p: Params) -> pd.Series:
    """The age in years of the person on each photo of the training part, as corrected, by photo."""
    labels = read_csv(f"data/labels/{(p.specialists('age') or p.joint)[0]}.csv", ["photo", "age"]).set_index("photo")
    return labels.age.astype(int)


def read_truth(p: Params) -> pd.DataFrame:
    """By photo: mask, gender and age (official classes from 0), and `class`, 0 to 17.

    Models that learn the same have the same labels, so the first listed speaks for them all.
    """
    columns = {}
    for attribute in ATTRIBUTES:
        name = (p.specialists(attribute) or p.joint)[0]
        labels = read_csv(f"data/labels/{name}.csv", ["photo", attribute]).set_index("photo")
        columns[attribute] = pd.Series(classes_of(labels[[attribute]]), labels.index)
    truth = pd.DataFrame(columns)
    return truth.assign(**{"class": encode(truth["mask"], truth.gender, truth.age)})
