"""The baselines are taken on the people that the pipeline is scored on, and learn from nobody of them."""
import json

import pandas as pd
import pytest

from stages.core.errors import UserError
from stages.core.params import read_params
from stages.evaluation.ground_truth import read_truth
from tools.baseline import baselines


@pytest.fixture(scope="module")
def rows(ran):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ran.root)
        return baselines(read_params())


def test_the_pipelines_own_row_is_what_evaluate_wrote(ran, rows):
    metrics = json.loads((ran.root / "reports/metrics.json").read_text())
    assert rows["this pipeline"] == {key: metrics[key] for key in rows["this pipeline"]}


def test_the_commonest_class_scores_its_own_f1_alone(rows):
    each = list(rows["commonest class"]["f1_by_class"].values())
    assert sum(f1 > 0 for f1 in each) == 1
    assert rows["commonest class"]["f1"] == pytest.approx(sum(each) / 18)


def test_the_regression_learns_something_of_the_mask(rows):
    assert rows["logistic regression, 8x8"]["mask"]["f1"] > rows["commonest class"]["mask"]["f1"]


def test_where_all_folds_are_trained_nobody_is_left_to_learn_from(ran, monkeypatch):
    monkeypatch.chdir(ran.root)
    monkeypatch.setattr("tools.baseline.read_truth", lambda p: read_truth(p).loc[held_out_of(ran)])
    with pytest.raises(UserError, match="params.yaml: folds: all are trained, so nobody is left to learn from; train fewer"):
        baselines(read_params())


def held_out_of(project) -> list[str]:
    combined = pd.read_parquet(project.root / "data/combined.parquet")
    return list(combined.photo[combined.part == "train"])
