"""Out-of-fold predictions beside the ground truth, a row a photo."""
import pandas as pd

from stages.core.classes import Classes
from stages.core.files import read_csv
from stages.core.metrics import CLASS
from stages.evaluation.tables import read_predictions

COMBINED = "data/combined.parquet"


def read_combined(classes: Classes) -> pd.DataFrame:
    """data/combined.parquet: photo, part, the labels given (from 0), and probabilities class_0, class_1, ...; a row a photo.

    Raises UserError where it is not what the stage combine wrote for these classes and photos.
    """
    photos = read_csv("data/photos.csv", ["photo"]).photo
    return read_predictions(COMBINED, *of_combined(classes), photos, "combine")


def of_combined(classes: Classes) -> tuple[list[str], list[str], dict[str, int]]:
    """The columns of data/combined.parquet: texts, probabilities, and numbers of classes with how many there are."""
    return ["part"], [f"class_{i}" for i in range(classes.count)], {CLASS: classes.count, **dict(zip(classes.attributes,
                                                                                                     classes.sizes))}


def read_out_of_fold(combined: pd.DataFrame, truth: pd.DataFrame, years: pd.Series | None, classes: Classes) -> pd.DataFrame:
    """Join predictions and ground truth, a row a photo of the training part.

    Columns: those of `combined` (data/combined.parquet), those of `truth` with _true (-1 where the label is missing), found
    (how the face was detected), person, fold (text); where they are learnt, years (the true age, -1 where missing) and
    wearing (the name of the true mask class). Left out are photos without any label.
    """
    labelled = truth[(truth >= 0).any(axis=1)]
    scored = combined[combined.part == "train"].join(labelled.add_suffix("_true"), on="photo", how="inner")
    for file, key, column in (("boxes", "photo", "found"), ("photos", "photo", "person"), ("folds", "person", "fold")):
        table = read_csv(f"data/{file}.csv", [key, column])
        scored = scored.merge(table[[key, column]], on=key)
    if years is not None:
        scored["years"] = scored.photo.map(years)
    if "mask" in classes.values:
        scored["wearing"] = scored.mask_true.map(dict(enumerate(classes.values["mask"])))
    return scored
