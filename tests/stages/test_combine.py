"""The listed members vote, and the submission has the contest's form, whatever happened to a photo."""
import numpy as np
import pandas as pd
import pytest

from labeller.voting.probabilities import scale
from stages.combine import (
    calibrated,
    decide_classes,
    offsets_for_new,
    persons,
    read_members,
    submission,
    temperatures,
    vote_on_classes,
    vote_over,
)
from stages.core.classes import CONTEST
from stages.core.errors import UserError
from stages.core.metrics import with_values
from stages.core.params import parse
from tests.sections import SHIPPED

PHOTOS = pd.Series(["a", "b", "e", *(f"t{i}" for i in range(3000))])


def members(p, *names: str) -> dict:
    """The tables of the models' networks."""
    return {name: read_members(name, p, PHOTOS) for name in names or p.models}


def write(folder, model: str, fold, chances: dict) -> None:
    path = folder / f"data/predictions/{model}/{fold}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame.from_dict(chances, orient="index").add_prefix("p")
    frame.rename_axis("photo").reset_index().to_parquet(path)


@pytest.fixture
def params(here):
    """Two gender models, two folds; photo a is held out in fold 0, b in fold 1, e is to be labelled."""
    write(here, "gender", 0, {"a": [0.9, 0.1], "e": [0.8, 0.2]})
    write(here, "gender", 1, {"b": [0.3, 0.7], "e": [0.4, 0.6]})
    write(here, "gender", "refit", {"e": [0.1, 0.9]})
    write(here, "other", 0, {"a": [0.5, 0.5], "e": [0.0, 1.0]})
    write(here, "other", 1, {"b": [0.1, 0.9], "e": [0.4, 0.6]})
    write(here, "left_over", 0, {"a": [0.0, 1.0], "e": [0.0, 1.0]})
    return SHIPPED | {"folds": [0, 1], "other": SHIPPED["gender"], "left_over": SHIPPED["gender"],
                      "predict": SHIPPED["predict"] | {"other": {"views": "none", "random_views": 1}}}


def male(p: dict, *names: str) -> dict:
    """The voted probability of the first gender, by photo."""
    return vote_over(list(names), members(p := parse(p | {"models": ["mask", "age", *names]}), *names), p).p0.to_dict()


def test_only_listed_models_vote_and_only_on_whom_they_have_not_seen(params):
    assert male(params, "gender") == pytest.approx({"a": 0.9, "b": 0.3, "e": 0.6})
    assert male(params, "gender", "other") == pytest.approx({"a": 0.7, "b": 0.2, "e": 0.4})


def test_a_refitted_model_labels_in_the_stead_of_its_folds(params):
    assert male(params | {"refit": ["gender"]}, "gender") == pytest.approx({"a": 0.9, "b": 0.3, "e": 0.1})
    both = male(params | {"refit": ["gender"]}, "gender", "other")
    assert both == pytest.approx({"a": 0.7, "b": 0.2, "e": (0.1 + (0 + 0.4) / 2) / 2})


def test_a_weight_counts_and_weight_zero_is_no_member(params):
    def voted(weights):
        return male(params | {"combine": params["combine"] | {"weights": weights}}, "gender", "other")
    assert voted({"other": 0}) == pytest.approx(male(params, "gender"))
    assert voted({"gender": 3})["a"] == pytest.approx((3 * 0.9 + 0.5) / 4)


@pytest.fixture
def both(here):
    """Three specialists, who say class 13 of photo a, and two joint models, who say 0 and 5; one fold."""
    write(here, "mask", 0, {"a": [0.1, 0.2, 0.7]})
    write(here, "gender", 0, {"a": [0.9, 0.1]})
    write(here, "age", 0, {"a": [0.2, 0.5, 0.3]})
    write(here, "joint", 0, {"a": [0.7] + [0.3 / 17] * 17})
    write(here, "joint2", 0, {"a": [0.0] * 5 + [1.0] + [0.0] * 12})
    return SHIPPED | {"models": ["mask", "gender", "age", "joint", "joint2"], "joint2": SHIPPED["joint"],
                      "predict": SHIPPED["predict"] | {"joint2": {"views": "none", "random_views": 1}}}


def classes(p: dict, weights=None, vote="soft", **changes) -> np.ndarray:
    """The voted probabilities (18,) of photo a."""
    p = p | changes | {"combine": p["combine"] | {"weights": weights or {}, "vote": vote}}
    return vote_on_classes(members(parse(p)), parse(p)).loc["a"].to_numpy()


def test_specialists_make_the_class_of_the_likeliest_of_each_attribute(both):
    chances = classes(both, models=["mask", "gender", "age"])
    assert chances.sum() == pytest.approx(1)
    assert chances[13] == pytest.approx(0.7 * 0.9 * 0.5)
    assert with_values(chances[None].argmax(1), CONTEST).loc[0].to_dict() == {
        "mask": 2, "gender": 0, "age": 1, "class": 2 * 6 + 0 * 3 + 1}


def test_a_joint_model_has_one_ballot_and_the_specialists_have_one_together(both):
    alone, trio = classes(both, models=["joint"]), classes(both, models=["mask", "gender", "age"])
    assert alone[0] == pytest.approx(0.7)
    assert classes(both, models=["mask", "gender", "age", "joint"]) == pytest.approx((alone + trio) / 2)
    three = classes(both)
    assert three[5] == pytest.approx((1 + alone[5] + trio[5]) / 3)
    assert classes(both, vote="hard").argmax() == 5  # of three different choices the surest


def test_ballots_are_weighed_and_one_of_weight_zero_is_no_ballot(both):
    trio = classes(both, models=["mask", "gender", "age"])
    assert classes(both, {"joint": 0, "joint2": 0}) == pytest.approx(trio)
    assert classes(both, {"specialists": 0, "joint2": 0}) == pytest.approx(classes(both, models=["joint"]))
    assert classes(both, {"specialists": 3, "joint2": 0}) == pytest.approx((3 * trio + classes(both, models=["joint"])) / 4)
    assert classes(both, {"joint": 5}, vote="hard").argmax() == 0


CHANCES = pd.DataFrame(np.eye(18)[[13]] * 0.4 + np.eye(18)[[14]] * 0.3 + np.full(18, 0.3 / 18), index=["a"])


def test_offsets_are_found_on_the_people_with_labels_and_decide_the_others():
    rare = 14  # CHANCES is of class 13; everybody who looks so is of this one
    many = pd.concat([CHANCES] * 41, ignore_index=True)
    truth = pd.DataFrame({"class": [rare] * 40}, index=range(40))
    people = pd.Series([f"p{i}" for i in range(41)])
    argmax = parse(SHIPPED)
    asked = parse(SHIPPED | {"combine": SHIPPED["combine"] | {"decision": "offsets"}})
    assert set(decide_classes(many, truth, people, asked)) == {rare}
    assert set(decide_classes(many, truth, people, argmax)) == {13}
    offsets = np.array(offsets_for_new(many, truth, asked))
    assert (np.log(many.to_numpy()) + offsets).argmax(1).tolist() == [rare] * 41
    assert offsets_for_new(many, truth, argmax) == [0] * 18


def test_calibration_scales_each_fold_by_its_own_people_and_the_refit_by_their_median(here, params):
    rng = np.random.default_rng(0)
    chances = rng.dirichlet([1, 1], 3000)
    true = (rng.random(3000) > chances[:, 0]).astype(int)  # drawn by the chances: temperature 1 is right
    for fold, temperature in ((0, 2), (1, 0.5)):
        rows = range(fold, 3000, 2)
        write(here, "gender", fold, {f"t{i}": list(scale(chances[[i]], temperature)[0]) for i in rows} | {"e": [0.8, 0.2]})
    write(here, "gender", "refit", {"e": [0.2, 0.8]})
    truth = pd.DataFrame({"gender": true}, index=[f"t{i}" for i in range(3000)])
    p = parse(params | {"combine": params["combine"] | {"calibration": "temperature"}})
    tables = read_members("gender", p, PHOTOS)
    found = temperatures("gender", tables, p, truth)
    voted = vote_over(["gender"], {"gender": {fold: calibrated(table, found[fold]) for fold, table in tables.items()}}, p).p0
    assert voted[truth.index].to_numpy() == pytest.approx(chances[:, 0], abs=0.02)
    assert voted["e"] == pytest.approx((scale(np.array([[0.8, 0.2]]), 0.5)[0, 0] + scale(np.array([[0.8, 0.2]]), 2)[0, 0]) / 2,
                                       abs=0.02)
    p = parse(params | {"refit": ["gender"], "combine": params["combine"] | {"calibration": "temperature"}})
    assert temperatures("gender", read_members("gender", p, PHOTOS), p, truth)["refit"] == pytest.approx(1.25, abs=0.05)


def test_people_are_told_apart_by_part_and_a_photo_without_one_is_named():
    photos = pd.DataFrame({"photo": ["a", "b", "c"], "part": ["train", "eval", "eval"], "person": ["p", "p", "q"]})
    truth = with_values(np.array([7]), CONTEST).set_index(pd.Index(["a"]))
    assert list(persons(photos, truth, "t.csv", CONTEST)) == ["train/p", "eval/p", "eval/q"]
    with pytest.raises(UserError, match=r"t.csv: photo c has no person \(1 photos\), and combine.by_person: true asks for one"):
        persons(photos.replace("q", ""), truth, "t.csv", CONTEST)


def test_a_person_with_labels_of_two_is_named():
    photos = pd.DataFrame({"photo": ["a", "b", "c", "d"], "part": "train", "person": ["p", "p", "q", "q"]})
    masks, twofold = (with_values(np.array([1, 7, 2, last]), CONTEST).set_index(pd.Index(list("abcd"))) for last in (14, 13))
    assert len(persons(photos, masks, "t.csv", CONTEST)) == 4  # which differ in the mask alone
    with pytest.raises(UserError, match=r"t.csv: q has photos of two genders or age groups \(1 people\)"):
        persons(photos, twofold, "t.csv", CONTEST)


def test_a_person_with_labels_of_two_is_named_though_photos_lack_other_labels():
    photos = pd.DataFrame({"photo": ["a", "b", "c", "d"], "part": "train", "person": ["p", "p", "q", "q"]})
    truth = pd.DataFrame({"mask": [0, -1, 0, -1], "gender": [0, 0, 0, 1], "age": [1, -1, 1, 1], "class": [1, -1, 1, -1]},
                         index=list("abcd"))
    with pytest.raises(UserError, match=r"t.csv: q has photos of two genders or age groups \(1 people\)"):
        persons(photos, truth, "t.csv", CONTEST)


def test_a_submission_keeps_every_row_in_its_order():
    photos = pd.DataFrame({"photo": ["eval/images/b.jpg", "eval/images/a.jpg", "x", "eval/images/c.jpg"],
                           "part": ["eval", "eval", "train", "eval"]})
    labelled = pd.DataFrame({"class": [3, 5]}, index=["eval/images/a.jpg", "eval/images/b.jpg"])
    got = submission(photos, labelled, 9, "eval/images/")
    assert got.to_csv(index=False) == "ImageID,ans\nb.jpg,5\na.jpg,3\nc.jpg,9\n"


def test_a_run_labels_every_photo_of_info_csv_in_its_form(ran):
    info = pd.read_csv(ran.root / "data/sample/eval/info.csv")
    answers = pd.read_csv(ran.root / "reports/submission.csv")
    assert list(answers.columns) == list(info.columns)
    assert list(answers.ImageID) == list(info.ImageID)
    assert answers.ans.between(0, 17).all()
