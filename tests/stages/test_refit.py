"""After the folds one model learns from everyone, for as many epochs as they found, and labels in their stead."""
import json
from math import ceil
from statistics import mean

import pandas as pd
import pytest

from stages.modeling.checkpoints import save_model
from stages.refit import epochs_found


@pytest.mark.parametrize("found, epochs", [([4], 4), ([2, 7, 3], 3), ([2, 5], 4)])
def test_the_epochs_are_the_median_of_the_folds_best(here, found, epochs):
    for fold, best in enumerate(found):
        save_model({}, {"best_epoch": best}, here / f"models/age/{fold}")
    assert epochs_found("age", list(range(len(found)))) == epochs


def settings(project, folder: str) -> dict:
    return json.loads((project.root / folder / "model.json").read_text())


def test_a_refit_stops_after_the_epochs_found_and_labels_the_photos_to_label(own):
    own.set(folds=[0, 1], refit=["age"], age__epochs=3, age__patience=3)
    own.repro("predict_refit@age")
    found = [settings(own, f"models/age/{fold}")["best_epoch"] for fold in (0, 1)]
    assert settings(own, "models/refit/age")["epochs"] == ceil(mean(found))  # of two the median
    photos = pd.read_csv(own.root / "data/photos.csv", dtype=str, keep_default_na=False)
    predicted = pd.read_parquet(own.root / "data/predictions/age/refit.parquet")
    assert set(predicted.photo) == set(photos.photo[photos.part == "eval"])


def test_a_refit_labels_and_changes_no_score_for_it_has_seen_everyone(own, ran):
    own.set(refit=["age"])
    assert own.repro("evaluate") == {"refit@age", "predict_refit@age", "combine", "evaluate"}
    assert (own.root / "reports/metrics.json").read_bytes() == (ran.root / "reports/metrics.json").read_bytes()
    assert (own.root / "data/combined.parquet").read_bytes() != (ran.root / "data/combined.parquet").read_bytes()
