"""The tables that evaluate writes for DVC's plots, as the page and the bundle read them."""
from pathlib import Path

import pandas as pd

from stages.evaluation.tables import read_table

PLOTS = Path("reports/plots")
COLUMNS = {  # of texts, of numbers
    "labels": (["photo", "person", "class_true", "class_predicted"], []),
    "classes": (["class"], ["f1", "photos"]),
    "reliability": (["series"], ["confidence", "accuracy", "photos"]),
    "years": (["series"], ["years", "share", "photos"]),
    "wearing": (["wearing", "series"], ["photos", "f1"]),
    "found": (["found", "series"], ["photos", "f1"]),
    "curves": (["series"], ["epoch", "loss", "f1"]),
}


def read_plot(name: str) -> pd.DataFrame:
    """A table of reports/plots/; raises UserError where it is not what evaluate writes."""
    return read_table(PLOTS / f"{name}.csv", *COLUMNS[name], "evaluate", PLOTS)
