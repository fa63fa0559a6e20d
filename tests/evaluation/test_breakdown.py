"""The tables behind DVC's plots count every scored photo once, and say what they are named after."""
import numpy as np
import pandas as pd
import pytest

from stages.core.classes import CONTEST
from stages.core.metrics import scores, with_values
from stages.evaluation.breakdown import by_class, by_year, confidence, f1_by_group, learning_curves, marginals, reliability


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
        for attribute, values in zip(CONTEST.attributes, CONTEST.decode(table[f"class{side}"].to_numpy())):
            table[f"{attribute}{side}"] = values
    return table


def test_marginals_are_sums_of_the_classes_of_a_value(scored):
    for attribute, values in zip(CONTEST.attributes, CONTEST.decode(np.arange(18))):
        got = marginals(scored, attribute, CONTEST)
        for value in range(len(CONTEST.values[attribute])):
            want = scored[[f"class_{i}" for i in np.flatnonzero(values == value)]].sum(axis=1)
            np.testing.assert_allclose(got[:, value], want)


def test_confidence_is_that_of_the_value_given_and_not_of_the_likeliest(scored):
    for attribute in CONTEST.attributes:
        each = marginals(scored, attribute, CONTEST)
        np.testing.assert_array_equal(confidence(scored.assign(**{attribute: 1}), attribute, CONTEST), each[:, 1])
    least = scored.assign(age=marginals(scored, "age", CONTEST).argmin(1))
    assert reliability(least, CONTEST).query("series == 'age'").confidence.max() < 0.5


def test_f1_by_class_is_that_of_the_metrics(scored):
    sides = (with_values(scored[column].to_numpy(), CONTEST) for column in ("class_true", "class"))
    want = scores(*sides, CONTEST)["f1_by_class"]
    table = by_class(scored, CONTEST)
    assert dict(zip(table["class"], table.f1)) == want
    assert table.photos.sum() == len(scored)
    assert list(table["class"]) == list(CONTEST.names)


def test_reliability_counts_each_photo_once_for_each_attribute(scored):
    table = reliability(scored, CONTEST)
    assert table.groupby("series").photos.sum().to_dict() == dict.fromkeys(CONTEST.attributes, len(scored))
    for attribute in CONTEST.attributes:
        own = table[table.series == attribute]
        assert own.confidence.is_monotonic_increasing
        right = (own.accuracy * own.photos).sum()
        assert right == pytest.approx((scored[attribute] == scored[f"{attribute}_true"]).sum())


def test_of_each_year_the_shares_of_the_groups_sum_to_one(scored):
    table = by_year(scored, CONTEST)
    assert set(table.series) == set(CONTEST.values["age"])
    np.testing.assert_allclose(table.groupby("years").share.sum(), 1)
    young = table[(table.series == "under30")].set_index("years").share
    assert young[33] == pytest.approx((scored[scored.years == 33].age == 0).mean())


def test_a_part_without_a_class_is_scored_by_those_it_has(scored):
    bare = scored[scored.mask_true == 2].assign(mask=2, wearing="bare")
    table = f1_by_group(bare, "wearing", CONTEST).set_index("series")
    assert table.f1["mask"] == 1
    assert table.photos["mask"] == len(bare)
    half = bare.assign(mask=np.where(np.arange(len(bare)) % 2, 2, 0))
    assert f1_by_group(half, "wearing", CONTEST).set_index("series").f1["mask"] < 0.7


def test_every_training_has_its_curve(ran, monkeypatch):
    monkeypatch.chdir(ran.root)
    table = learning_curves(["mask", "age"], [0])
    assert list(dict.fromkeys(table.series)) == ["mask, fold 0", "age, fold 0"]
    assert table.groupby("series").epoch.min().eq(1).all()


def test_photos_whose_label_is_missing_count_nowhere(scored):
    unknown = np.arange(len(scored)) < 150
    partly = scored.assign(age_true=np.where(unknown, -1, scored.age_true), class_true=np.where(unknown, -1, scored.class_true),
                           years=np.where(unknown, -1, scored.years))
    rest = scored[~unknown]
    pd.testing.assert_frame_equal(by_class(partly, CONTEST), by_class(rest, CONTEST))
    pd.testing.assert_frame_equal(by_year(partly, CONTEST), by_year(rest, CONTEST))
    table = reliability(partly, CONTEST)
    assert table.groupby("series").photos.sum().to_dict() == {"mask": 400, "gender": 400, "age": 250}
    groups = f1_by_group(partly, "found", CONTEST).set_index(["found", "series"]).f1
    for found in ("mtcnn", "lenient"):
        assert groups[found, "age"] == f1_by_group(rest, "found", CONTEST).set_index(["found", "series"]).f1[found, "age"]


def test_what_no_model_learns_has_an_empty_table(scored):
    masks = CONTEST.only(["mask"])
    assert by_year(scored, masks).empty
    assert set(f1_by_group(scored, "found", masks).series) == {"mask"}
    assert f1_by_group(scored.drop(columns=["mask"]), "wearing", CONTEST.only(["gender"])).empty


def test_an_attribute_without_a_known_label_has_no_rows_and_leaves_the_others_theirs(scored):
    nobody = scored.assign(age_true=-1, class_true=-1, years=-1)
    table = reliability(nobody, CONTEST)
    pd.testing.assert_frame_equal(table, reliability(scored, CONTEST).query("series != 'age'"), check_dtype=False)
    assert set(f1_by_group(nobody, "found", CONTEST).series) == {"mask", "gender"}
    assert by_year(nobody, CONTEST).empty
    classes = by_class(nobody, CONTEST)
    assert (list(classes["class"]), classes.photos.sum(), classes.f1.sum()) == (list(CONTEST.names), 0, 0)
