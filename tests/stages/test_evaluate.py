"""The metrics are those of people whom every specialist had not seen, taken with the official labels."""
import json

import pandas as pd
import pytest

from stages.core.classes import CONTEST
from stages.core.metrics import scores, with_values
from stages.evaluate import by_how_found


@pytest.fixture(scope="module")
def metrics(ran):
    return json.loads((ran.root / "reports/metrics.json").read_text())


def test_people_of_the_trained_fold_are_scored_and_nobody_else(ran, metrics):
    folds = pd.read_csv(ran.root / "data/folds.csv", dtype=str)
    assert metrics["people"] == (folds.fold == "0").sum()
    assert metrics["photos"] == metrics["scored"] == 7 * metrics["people"]
    assert [metrics[attribute]["photos"] for attribute in CONTEST.attributes] == [metrics["photos"]] * 3
    assert metrics["classes"] == 18


def test_the_scores_are_those_of_the_labels_that_dvc_plots(ran, metrics):
    labels = pd.read_csv(ran.root / "reports/plots/labels.csv")
    number = {name: i for i, name in enumerate(CONTEST.names)}
    sides = (with_values(labels[f"class_{side}"].map(number).to_numpy(), CONTEST) for side in ("true", "predicted"))
    want = scores(*sides, CONTEST)
    assert {key: metrics[key] for key in want} == want
    for attribute, values in CONTEST.values.items():
        assert set(labels[f"{attribute}_true"]) | set(labels[f"{attribute}_predicted"]) <= set(values)


def test_the_metrics_say_how_faces_were_found_and_what_was_unreadable(metrics):
    assert sum(row["photos"] for row in metrics["by_how_found"].values()) == metrics["photos"]
    assert metrics["unreadable"] == {"train": 0, "eval": 0}
    assert set(metrics["shares"]) == set(metrics["f1_by_class"]) == set(CONTEST.names)


def test_f1_by_how_found_counts_the_classes_that_occur_there():
    scored = pd.DataFrame({"found": ["mtcnn", "mtcnn", "center"], "class_true": [0, 5, 7], "class": [0, 5, 3]})
    out = by_how_found(scored)
    assert out["mtcnn"] == {"photos": 2, "f1": 1, "accuracy": 1}
    assert out["center"] == {"photos": 1, "f1": 0, "accuracy": 0}


def test_dvc_shows_the_metrics_and_the_confusion_matrices(ran, metrics):
    shown = ran.sh("dvc", "metrics", "show", "--json")
    assert json.loads(shown.stdout)[""]["data"]["reports/metrics.json"]["data"] == metrics
    plots = ran.sh("dvc", "plots", "show", "--json")
    assert plots.returncode == 0, plots.stderr
    assert {"18 classes", "mask", "gender", "age"} <= set(json.loads(plots.stdout)["data"])
