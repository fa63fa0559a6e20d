"""The scored photos: those of people whom no model has seen, with what they were labelled and what is true."""
import pandas as pd

from stages.lib.classes import VALUES
from stages.lib.files import read_csv
from stages.lib.params import Params
from stages.lib.truth import read_truth, read_years


def read_scored(p: Params) -> pd.DataFrame:
    """A row a photo: data/combined.parquet's columns, the classes with _true, how its face was found, the age in years,
    person and fold as text, and `wearing`, how the mask is truly worn."""
    combined = pd.read_parquet("data/combined.parquet")
    scored = combined[combined.part == "train"].join(read_truth(p).add_suffix("_true"), on="photo")
    for file, key, column in (("boxes", "photo", "found"), ("photos", "photo", "person"), ("folds", "person", "fold")):
        table = read_csv(f"data/{file}.csv", [key, column])
        scored = scored.merge(table[[key, column]], on=key)
    return scored.assign(years=scored.photo.map(read_years(p)), wearing=scored.mask_true.map(dict(enumerate(VALUES["mask"]))))
