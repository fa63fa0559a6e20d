"""The listed members vote, and the submission has the contest's form, whatever happened to a photo."""
import pandas as pd
import pytest

from stages.combine import decided, label, submission, vote_on
from stages.lib.errors import UserError
from stages.lib.params import parse
from stages.lib.truth import read_truth
from tests.test_params import SHIPPED


def write(folder, model: str, fold: int, chances: dict) -> None:
    path = folder / f"data/predictions/{model}/{fold}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame.from_dict(chances, orient="index", columns=["p0", "p1"])
    frame.rename_axis("photo").reset_index().to_parquet(path)


@pytest.fixture
def params(here):
    """Two gender models, two folds; photo a is held out in fold 0, b in fold 1, e is to be labelled."""
    write(here, "gender", 0, {"a": [0.9, 0.1], "e": [0.8, 0.2]})
    write(here, "gender", 1, {"b": [0.3, 0.7], "e": [0.4, 0.6]})
    write(here, "other", 0, {"a": [0.5, 0.5], "e": [0.0, 1.0]})
    write(here, "other", 1, {"b": [0.1, 0.9], "e": [0.4, 0.6]})
    write(here, "left_over", 0, {"a": [0.0, 1.0], "e": [0.0, 1.0]})
    return SHIPPED | {"folds": [0, 1], "other": SHIPPED["gender"], "left_over": SHIPPED["gender"],
                      "predict": SHIPPED["predict"] | {"other": {"views": "none", "random_views": 1}}}


def test_only_listed_models_vote_and_only_on_whom_they_have_not_seen(params):
    alone = vote_on("gender", parse(params | {"models": ["gender"]}))
    assert alone.gender_0.to_dict() == pytest.approx({"a": 0.9, "b": 0.3, "e": 0.6})
    both = vote_on("gender", parse(params | {"models": ["gender", "other"]}))
    assert both.gender_0.to_dict() == pytest.approx({"a": 0.7, "b": 0.2, "e": 0.4})


def test_an_attribute_that_no_listed_model_learns_is_named(params):
    with pytest.raises(UserError, match="learns mask"):
        read_truth(parse(params | {"models": ["gender", "age"]}))


def test_a_weight_counts_and_weight_zero_is_no_member(params):
    def voted(weights):
        both = params | {"models": ["gender", "other"], "combine": params["combine"] | {"weights": weights}}
        return vote_on("gender", parse(both)).gender_0.to_dict()
    assert voted({"other": 0}) == pytest.approx(vote_on("gender", parse(params | {"models": ["gender"]})).gender_0.to_dict())
    assert voted({"gender": 3})["a"] == pytest.approx((3 * 0.9 + 0.5) / 4)


CHANCES = pd.DataFrame([[0.1, 0.2, 0.7, 0.9, 0.1, 0.2, 0.5, 0.3]], index=["a"], columns=[
    "mask_0", "mask_1", "mask_2", "gender_0", "gender_1", "age_0", "age_1", "age_2"])


def test_the_class_is_made_of_the_likeliest_of_each_attribute():
    classes = decided(CHANCES, pd.DataFrame({"class": []}), pd.Series(["x"]), "argmax")
    assert label(classes, CHANCES.index).loc["a"].to_dict() == {"mask": 2, "gender": 0, "age": 1, "class": 2 * 6 + 0 * 3 + 1}


def test_offsets_are_found_on_the_people_with_labels_and_decide_the_others():
    rare = 2 * 6 + 0 * 3 + 2  # CHANCES is of class 13; nearly half of the people who look so are of this one
    many = pd.concat([CHANCES] * 41, ignore_index=True)
    truth = pd.DataFrame({"class": [rare] * 40}, index=range(40))
    people = pd.Series([f"p{i}" for i in range(41)])
    assert set(decided(many, truth, people, "offsets")) == {rare}
    assert set(decided(many, truth, people, "argmax")) == {13}


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
