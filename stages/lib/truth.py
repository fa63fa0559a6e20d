"""The true class of every photo of the training part, from the labels that the listed models learn."""
import pandas as pd

from stages.lib.classes import ATTRIBUTES, encode
from stages.lib.errors import UserError
from stages.lib.files import read_csv
from stages.lib.params import Params
from stages.lib.targets import official


def read_truth(p: Params) -> pd.DataFrame:
    """By photo: mask, gender and age (official classes from 0), and `class`, 0 to 17.

    Models of one attribute have the same labels, so the first listed speaks for them all.
    """
    columns = {}
    for attribute in ATTRIBUTES:
        if not p.of(attribute):
            raise UserError(f"params.yaml: models: none of {', '.join(p.models)} learns {attribute}; list one that does")
        labels = read_csv(f"data/labels/{p.of(attribute)[0]}.csv", ["photo", attribute]).set_index("photo")[attribute]
        columns[attribute] = pd.Series(official(attribute, labels), labels.index)
    truth = pd.DataFrame(columns)
    return truth.assign(**{"class": encode(truth["mask"], truth.gender, truth.age)})
