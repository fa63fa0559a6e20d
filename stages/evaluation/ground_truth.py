"""Ground truth of the training part's photos: the corrected labels of the listed models."""
import pandas as pd

from stages.core.classes import ATTRIBUTES, classes_of, encode
from stages.core.files import read_csv
from stages.core.params import Params


def read_corrected(p: Params) -> pd.DataFrame:
    """photo, mask, gender and age (years) as text: the corrected labels of the training part."""
    columns = {}
    for attribute in ATTRIBUTES:
        name = (p.specialists(attribute) or p.joint)[0]
        columns[attribute] = read_csv(f"data/labels/{name}.csv", ["photo", attribute]).set_index("photo")[attribute]
    return pd.DataFrame(columns).loc[read_truth(p).index].rename_axis("photo").reset_index()


def read_years(p: Params) -> pd.Series:
    """The corrected age in years of each photo of the training part, indexed by photo."""
    labels = read_csv(f"data/labels/{(p.specialists('age') or p.joint)[0]}.csv", ["photo", "age"]).set_index("photo")
    return labels.age.astype(int)


def read_truth(p: Params) -> pd.DataFrame:
    """mask, gender and age (official classes from 0) and `class` (0 to 17), indexed by photo.

    Models of one attribute have the same labels, so the first listed provides them.
    """
    columns = {}
    for attribute in ATTRIBUTES:
        name = (p.specialists(attribute) or p.joint)[0]
        labels = read_csv(f"data/labels/{name}.csv", ["photo", attribute]).set_index("photo")
        columns[attribute] = pd.Series(classes_of(labels[[attribute]]), labels.index)
    truth = pd.DataFrame(columns)
    return truth.assign(**{"class": encode(truth["mask"], truth.gender, truth.age)})
