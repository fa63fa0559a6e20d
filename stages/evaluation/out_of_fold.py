"""The scored photos: those of people whom no model has seen, with what they were labelled and what is true."""
import pandas as pd

from stages.core.classes import VALUES
from stages.core.files import read_csv


def read_out_of_fold(combined: pd.DataFrame, truth: pd.DataFrame, years: pd.Series) -> pd.DataFrame:
    """A row a photo: the columns of `combined` (data/combined.parquet), the classes of `truth` with _true, how its face was
    found, the age in years, person and fold as text, and `wearing`, how the mask is truly worn."""
    scored = combined[combined.part == "train"].join(truth.add_suffix("_true"), on="photo")
    for file, key, column in (("boxes", "photo", "found"), ("photos", "photo", "person"), ("folds", "person", "fold")):
        table = read_csv(f"data/{file}.csv", [key, column])
        scored = scored.merge(table[[key, column]], on=key)
    return scored.assign(years=scored.photo.map(years), wearing=scored.mask_true.map(dict(enumerate(VALUES["mask"]))))
