"""Out-of-fold predictions beside the ground truth, a row a photo."""
import pandas as pd

from stages.core.classes import VALUES
from stages.core.files import read_csv


def read_out_of_fold(combined: pd.DataFrame, truth: pd.DataFrame, years: pd.Series) -> pd.DataFrame:
    """Join predictions and ground truth, a row a photo of the training part.

    Columns: those of `combined` (data/combined.parquet), those of `truth` with _true, found (how the face was detected),
    person, fold (text), years (the true age) and wearing (the name of the true mask class).
    """
    scored = combined[combined.part == "train"].join(truth.add_suffix("_true"), on="photo")
    for file, key, column in (("boxes", "photo", "found"), ("photos", "photo", "person"), ("folds", "person", "fold")):
        table = read_csv(f"data/{file}.csv", [key, column])
        scored = scored.merge(table[[key, column]], on=key)
    return scored.assign(years=scored.photo.map(years), wearing=scored.mask_true.map(dict(enumerate(VALUES["mask"]))))
