"""Wrong labels come first, right ones are left alone, and nothing else is done to the labels."""

import numpy as np
import pandas as pd
import pytest

from stages.core.classes import CONTEST
from stages.core.files import write_csv
from stages.evaluation.label_issues import find_label_issues, likelier_groups, near
from stages.labels import COLUMNS, correct, read_corrections

MASKS = ["worn"] * 5 + ["incorrect", "bare"]
NAMES = [f"class_{i}" for i in range(len(CONTEST.names))]


def combine(photos, mask, gender, age, part="train") -> pd.DataFrame:
    """As data/combined.parquet, of probabilities (N, 3), (N, 2) and (N, 3)."""
    joint = np.einsum("na,nb,nc->nabc", mask, gender, age).reshape(len(mask), -1)
    return pd.DataFrame({"photo": photos, "part": part}).join(pd.DataFrame(joint, columns=NAMES))


def say(values, size: int, sure) -> np.ndarray:
    """Probabilities (N, size) that give each of `values` (N,) the probability `sure`; the others share the rest."""
    sure = np.broadcast_to(sure, len(values))[:, None]
    return np.where(np.arange(size) == np.asarray(values)[:, None], sure, (1 - sure) / (size - 1))


def crowd(people: int = 200, seed: int = 0, skill: float = 0.9):
    """The labels (photo, person, mask, gender, age) of people of seven photos, and what models say of them.

    These take people to be some years older or younger, and give the right gender `skill` on average.
    """
    rng = np.random.default_rng(seed)
    gender, years = rng.integers(2, size=people), rng.integers(18, 66, people)
    of = np.repeat(np.arange(people), 7)
    given = pd.DataFrame({"photo": [f"{k:04d}/{n}.jpg" for k in range(people) for n in range(7)],
                          "person": [f"{k:04d}" for k in of], "mask": MASKS * people,
                          "gender": np.array(CONTEST.values["gender"])[gender[of]], "age": years[of].astype(str)})
    looks = years + rng.normal(0, 2, people)
    over = 1 / (1 + np.exp(([[30], [60]] - looks) / 2.5))  # the probabilities of 30, and of 60, or more years
    age = np.stack([1 - over[0], over[0] - over[1], over[1]], 1)[of]
    sure = rng.beta(skill * 10, (1 - skill) * 10, people)
    sure[:people // 10] = 0.97  # the first tenth they know well
    sure = np.clip(sure[of] + rng.normal(0, 0.02, len(of)), 0.02, 0.98)
    mask = say([CONTEST.values["mask"].index(name) for name in given["mask"]], 3, rng.uniform(0.9, 0.99, len(of)))
    return given, combine(given.photo, mask, say(gender[of], 2, sure), age)


def changed(given: pd.DataFrame, column: str, new: dict[str, str], only: str = "") -> pd.DataFrame:
    """The labels with another one for all photos of some people, or for those of them labelled `only`."""
    here = given.person.isin(list(new)) & (given[column].eq(only) | (only == ""))
    return given.assign(**{column: given[column].where(~here, given.person.map(new))})


def flipped(given: pd.DataFrame, people) -> pd.DataFrame:
    other = {"male": "female", "female": "male"}
    return changed(given, "gender", {person: other[given.gender[given.person == person].iloc[0]] for person in people})


def passed_on(rows: pd.DataFrame, given: pd.DataFrame, attribute: str, folder) -> tuple[pd.Series, list[str]]:
    """What the stage labels makes of the rows of one attribute: the labels, and what became of each row."""
    write_csv(rows[rows.attribute == attribute], folder / "mine.csv")
    return correct(given, read_corrections(folder / "mine.csv", CONTEST), attribute)


def test_genders_that_were_exchanged_come_first():
    given, combined = crowd()
    wrong = ["0003", "0005", "0011", "0016", "0019"]
    rows = find_label_issues(combined, *[flipped(given, wrong)] * 2, CONTEST)
    genders = rows[rows.attribute == "gender"]
    assert set(genders.person[:5]) == set(wrong)
    assert list(rows["rank"]) == list(range(1, len(rows) + 1))
    assert rows.score.is_monotonic_increasing and rows.score.between(0, 1).all()


def test_ages_far_from_the_truth_come_first():
    given, combined = crowd()
    years = given.drop_duplicates("person").set_index("person").age.astype(int)
    young, middle = years[years < 20].index[:3], years[years.between(43, 47)].index[:3]
    wrong = changed(given, "age", dict.fromkeys(young, "70") | dict.fromkeys(middle, "18"))
    ages = find_label_issues(combined, wrong, wrong, CONTEST).query("attribute == 'age'")
    assert set(ages.person[:6]) == {*young, *middle}
    assert dict(zip(ages.person[:6], ages.new[:6])) == dict.fromkeys(young, "29") | dict.fromkeys(middle, "30")
    assert ages.source.str.contains("nearest year of .*, not an estimate").all()


def test_masks_that_were_exchanged_come_first():
    given, combined = crowd()
    wrong = given.assign(mask=given["mask"].where(given.person != "0042", given["mask"].map(
        {"worn": "worn", "bare": "incorrect", "incorrect": "bare"})))
    masks = find_label_issues(combined, wrong, wrong, CONTEST).query("attribute == 'mask'")
    assert set(masks.photo[:2]) == {"0042/5.jpg", "0042/6.jpg"}
    assert set(zip(masks.old[:2], masks.new[:2])) == {("bare", "incorrect"), ("incorrect", "bare")}


def test_right_labels_are_not_suspected():
    given, combined = crowd(skill=0.95)
    far = given.age.astype(int).between(38, 51) | (given.age.astype(int) < 21)
    given, combined = given[far].reset_index(drop=True), combined[far].reset_index(drop=True)
    rows = find_label_issues(combined, given, given, CONTEST)
    assert given.person.nunique() > 50 and len(rows) == 0
    assert list(rows.columns) == [*COLUMNS, "photo", "score", "rank"]


def judge_age(label: str, says: str) -> pd.DataFrame:
    """The suspects when one person of this age is among sixty others whom the models know, 20, 45 and 65 years old."""
    given = pd.DataFrame({"photo": range(61), "person": ["x", *map(str, range(60))], "mask": "bare", "gender": "male",
                          "age": [label] + ["20", "45", "65"] * 20})
    groups = [CONTEST.values["age"].index(says), *[0, 1, 2] * 20]
    sure = np.r_[0.95, np.full(60, 0.8)]
    zeros = [0] * 61
    combined = combine(given.photo, say(zeros, 3, 0.9), say(zeros, 2, 0.9), say(groups, 3, sure))
    return find_label_issues(combined, given, given, CONTEST)


@pytest.mark.parametrize("label, says", [
    ("27", "30to59"), ("29", "30to59"), ("30", "under30"), ("32", "under30"), ("57", "60plus"), ("59", "60plus"),
    ("60", "30to59"), ("62", "30to59"),
])
def test_an_age_at_a_border_is_not_suspected_for_being_there(label, says):
    assert judge_age(label, says).empty


@pytest.mark.parametrize("label, says, new", [
    ("26", "30to59", "30"), ("33", "under30", "29"), ("56", "60plus", "60"), ("63", "30to59", "59"),
    ("29", "60plus", "60"), ("30", "60plus", "60"), ("59", "under30", "29"), ("60", "under30", "29"),
])
def test_an_age_is_suspected_where_no_neighbouring_group_explains_it(label, says, new):
    [row] = judge_age(label, says).itertuples()
    assert (row.person, row.attribute, row.old, row.new) == ("x", "age", label, new)
    assert row.score == pytest.approx((1 + 0.025 - 0.95) / 2, abs=1e-4)  # cleanlab's normalized margin


def test_labels_at_a_border_count_for_the_likelier_group():
    low, high, ages = [0.6, 0.3, 0.1], [0.1, 0.3, 0.6], np.array([26, 29, 29, 30, 57, 60, 63])
    chances = np.array([high, low, high, low, low, low, low])
    assert list(likelier_groups(ages, CONTEST.age_group(ages), chances, CONTEST.borders)) == [0, 0, 1, 0, 1, 1, 2]
    assert list(near(np.array([26, 27, 32, 33]), 30)) == [False, True, True, False]


def test_a_group_that_models_rarely_dare_to_say_is_suggested_all_the_same():
    """They give it 0.42 at most; a person of 45 whom they call so is suspected, but not where 30to59 is likelier."""
    given = pd.DataFrame({"photo": range(40), "person": [str(k) for k in range(40)], "mask": "bare", "gender": "male",
                          "age": ["45"] * 20 + ["66"] * 20})
    age = np.array([[0.2, 0.6, 0.2]] * 18 + [[0.1, 0.5, 0.4], [0.2, 0.38, 0.42]] + [[0.2, 0.41, 0.39]] * 20)
    rows = find_label_issues(combine(given.photo, say([0] * 40, 3, 0.9), say([0] * 40, 2, 0.9), age), given, given, CONTEST)
    assert list(rows.person) == ["19"]
    assert rows.new[0] == "60"


def test_the_file_given_to_corrections_makes_the_labels_what_they_were(tmp_path):
    given, combined = crowd()
    given = changed(given, "age", {"0007": "60", "0008": "29"})
    age = combined[NAMES].to_numpy(copy=True).reshape(-1, 3, 2, 3)
    for person, group in (("0007", 2), ("0008", 0)):
        rows = (given.person == person).to_numpy()
        age[rows] = age[rows].sum(3, keepdims=True) * say([group], 3, 0.95)
    combined[NAMES] = age.reshape(len(age), -1)
    wrong = changed(flipped(given, ["0003", "0005"]), "age", {"0007": "20", "0008": "66"})
    rows = find_label_issues(combined, wrong, wrong, CONTEST)
    mine = rows[rows.person.isin(["0003", "0005", "0007", "0008"])]
    for attribute in ("gender", "age"):
        labels, outcomes = passed_on(mine, wrong, attribute, tmp_path)
        assert outcomes == ["applied to 7 photos"] * 2
        assert list(labels) == list(given[attribute])


def test_a_mask_is_corrected_alone_whatever_masks_the_person_has(tmp_path):
    given, combined = crowd(20)
    wrong = given.assign(mask=given["mask"].where(~given.photo.isin(["0004/6.jpg", "0009/2.jpg"]), "incorrect"))
    wrong.loc[wrong.photo == "0009/5.jpg", "mask"] = "worn"  # 2 and 5 of this person are exchanged
    wrong.loc[wrong.photo == "0004/5.jpg", "mask"] = "bare"
    rows = find_label_issues(combined, wrong, wrong, CONTEST).query("attribute == 'mask'")
    assert dict(zip(rows.photo, rows.old)) == {
        "0004/5.jpg": "bare", "0004/6.jpg": "incorrect", "0009/2.jpg": "incorrect", "0009/5.jpg": "worn"}
    labels, outcomes = passed_on(rows, wrong, "mask", tmp_path)
    assert outcomes == ["applied to 1 photos"] * 4
    assert list(labels) == list(given["mask"])


def test_a_label_that_was_corrected_before_is_judged_as_corrected_and_named_as_given():
    given, combined = crowd()
    old = given.gender[given.person == "0005"].iloc[0]
    given = flipped(given, ["0003"])
    rows = find_label_issues(combined, given, flipped(given, ["0005"]), CONTEST)
    [row] = rows[(rows.person == "0005") & (rows.attribute == "gender")].itertuples()
    assert row.old == row.new == old
    assert "a correction makes it" in row.source
    rest = rows[rows.person != "0005"]
    assert "0003" in set(rest.person) and not rest.source.str.contains("a correction makes it").any()
    rows = find_label_issues(combined, flipped(given, ["0005"]), given, CONTEST)
    assert rows[(rows.person == "0005") & (rows.attribute == "gender")].empty


def test_only_people_whom_no_model_has_seen_are_judged():
    given, combined = crowd()
    wrong = flipped(given, ["0002", "0009", "0012", "0017"])
    seen, evals = combined[combined.photo.between("0005", "0100")], combined[combined.photo < "0005"]
    rows = find_label_issues(pd.concat([evals.assign(part="eval"), seen]), wrong, wrong, CONTEST)
    assert {"0009", "0012", "0017"} <= set(rows.person)
    assert rows.person.between("0005", "0099").all()
    pd.testing.assert_frame_equal(rows, find_label_issues(seen[::-1], wrong[::-1], wrong[::-1], CONTEST))


def test_equally_suspicious_labels_are_in_order_of_names():
    given, combined = crowd()
    people = [f"{k:04d}" for k in range(20)]
    combined.loc[:139, NAMES] = np.tile(combined.loc[:6, NAMES].to_numpy(), (20, 1))
    given.loc[:139, "gender"] = given.gender[0]
    wrong = flipped(given, people)
    rows = find_label_issues(combined[::-1], wrong, wrong, CONTEST).query("attribute == 'gender'")
    assert list(rows.person[rows.person.isin(people)]) == people


def test_nothing_is_suspected_where_all_have_one_label():
    given, combined = crowd(10)
    same = given.assign(gender="male", age="40", mask="worn")
    assert find_label_issues(combined, same, same, CONTEST).empty


def test_a_photo_that_the_labels_lack_is_no_silent_loss():
    given, combined = crowd(5)
    with pytest.raises(KeyError):
        find_label_issues(combined, given[1:], given, CONTEST)


def test_a_label_that_is_missing_is_no_issue_and_hides_none():
    given, combined = crowd(60)
    wrong = flipped(given, ["0005", "0017"])
    partly = wrong.assign(gender=wrong.gender.where(wrong.person > "0009", ""), age="")
    rows = find_label_issues(combined, partly, partly, CONTEST)
    assert "age" not in set(rows.attribute)
    assert set(rows[rows.attribute == "gender"].person) == {"0017"}
    assert "0005" in set(find_label_issues(combined, wrong, wrong, CONTEST).query("attribute == 'gender'").person)


def test_without_any_label_there_is_no_issue():
    given, combined = crowd(10)
    unknown = given.assign(mask="", gender="", age="")
    assert find_label_issues(combined, unknown, unknown, CONTEST).empty
