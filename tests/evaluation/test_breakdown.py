"""The tables behind DVC's plots count every scored photo once, and say what they are named after."""
import numpy as np
import pandas as pd
import pytest

from stages.core.classes import ATTRIBUTES, CLASSES, VALUES, decode
from stages.core.metrics import scores
from stages.evaluation.breakdown import by_year, confidence, f1_by_class, f1_by_group, learning_curves, marginals, reliability


@pytest.fixture
def scored():
    """400 photos with probabilities drawn by chance, labelled by the likeliest, and true classes drawn by chance."""
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.full(18, 0.3), 400)
    true = rng.integers(0, 18, 400)
    table = pd.DataFrame(chances, columns=[f"class_{i}" for i in range(18)])
    table = table.assign(**{"class": chances.argmax(1), "class_true": true, "years": rng.integers(20, 70, 400),
                            "found": rng.choice(["mtcnn", "lenient"], 400)})
    for side in ("", "_true"):
        for attribute, values in zip(ATTRIBUTES, decode(table[f"class{side}"].to_numpy())):
            table[f"{attribute}{side}"] = values
    return table


def test_marginals_are_sums_of_the_classes_of_a_value(scored):
    for attribute, values in zip(ATTRIBUTES, decode(np.arange(18))):
        got = marginals(scored, attribute)
        for value in range(len(VALUES[attribute])):
            want = scored[[f"class_{i}" for i in np.flatnonzero(values == value)]].sum(axis=1)
            np.testing.assert_allclose(got[:, value], want)


def test_confidence_is_that_of_the_value_given_and_not_of_the_likeliest(scored):
    for attribute in ATTRIBUTES:
        each = marginals(scored, attribute)
        np.testing.assert_array_equal(confidence(scored.assign(**{attribute: 1}), attribute), each[:, 1])
    least = scored.assign(age=marginals(scored, "age").argmin(1))
    assert reliability(least).query("series == 'age'").confidence.max() < 0.5


def test_f1_by_class_is_that_of_the_metrics(scored):
    want = scores(scored.class_true.to_numpy(), scored["class"].to_numpy())["f1_by_class"]
    table = f1_by_class(scored)
    assert dict(zip(table["class"], table.f1)) == want
    assert table.photos.sum() == len(scored)
    assert list(table["class"]) == list(CLASSES)


def test_reliability_counts_each_photo_once_for_each_attribute(scored):
    table = reliability(scored)
    assert table.groupby("series").photos.sum().to_dict() == dict.fromkeys(ATTRIBUTES, len(scored))
    for attribute in ATTRIBUTES:
        own = table[table.series == attribute]
        assert own.confidence.is_monotonic_increasing
        right = (own.accuracy * own.photos).sum()
        assert right == pytest.approx((scored[attribute] == scored[f"{attribute}_true"]).sum())


def test_of_each_year_the_shares_of_the_groups_sum_to_one(scored):
    table = by_year(scored)
    assert set(table.series) == set(VALUES["age"])
    np.testing.assert_allclose(table.groupby("years").share.sum(), 1)
    young = table[(table.series == "under30")].set_index("years").share
    assert young[33] == pytest.approx((scored[scored.years == 33].age == 0).mean())


def test_a_part_without_a_class_is_scored_by_those_it_has(scored):
    bare = scored[scored.mask_true == 2].assign(mask=2, wearing="bare")
    table = f1_by_group(bare, "wearing").set_index("series")
    assert table.f1["mask"] == 1
    assert table.photos["mask"] == len(bare)
    half = bare.assign(mask=np.where(np.arange(len(bare)) % 2, 2, 0))
    assert f1_by_group(half, "wearing").set_index("series").f1["mask"] < 0.7


def test_every_training_has_its_curve(ran, monkeypatch):
    monkeypatch.chdir(ran.root)
    table = learning_curves(["mask", "age"], [0])
    assert list(dict.fromkeys(table.series)) == ["mask, fold 0", "age, fold 0"]
    assert table.groupby("series").epoch.min().eq(1).all()
