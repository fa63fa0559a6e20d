"""Nobody is in two folds, and every fold has its share of each gender and age group."""
import numpy as np
import pandas as pd
import pytest

from stages.core.classes import CONTEST, make_classes
from stages.core.errors import UserError
from stages.evaluation.near_duplicates import PAIR
from stages.split import assign_folds, read_pairs


def people(count: int) -> pd.DataFrame:
    rows = [(f"{i}/{n}", f"{i:03d}", ("male", "female")[i % 2], str((25, 45, 65)[i // 2 % 3]))
            for i in range(count) for n in range(7)]
    return pd.DataFrame(rows, columns=["photo", "person", "gender", "age"])


def test_each_person_is_in_one_fold_and_no_fold_lacks_a_group():
    given = people(60)
    folds = assign_folds(given, 5, 1, CONTEST)
    assert sorted(folds.person) == sorted(given.person.unique())
    groups = folds.groupby(["gender", "age", "fold"]).size()
    assert set(groups) == {2}


def test_gender_and_age_are_kept_as_given():
    given = people(60)
    want = given.drop_duplicates("person").set_index("person")[["gender", "age"]]
    pd.testing.assert_frame_equal(assign_folds(given, 5, 1, CONTEST).set_index("person")[["gender", "age"]], want)


def test_the_folds_do_not_depend_on_the_order_of_the_rows():
    given = people(30)
    shuffled = given.iloc[np.random.default_rng(0).permutation(len(given))]
    pd.testing.assert_frame_equal(assign_folds(given, 3, 1, CONTEST), assign_folds(shuffled, 3, 1, CONTEST))


def test_another_seed_deals_otherwise():
    assert not assign_folds(people(60), 5, 1, CONTEST).equals(assign_folds(people(60), 5, 2, CONTEST))


def test_groups_smaller_than_the_number_of_folds_stop():
    one_each = people(6).drop_duplicates("person")
    with pytest.raises(UserError, match=r"split.n_folds: 5, but no gender and age group has as many photos, 1 at most"):
        assign_folds(one_each, 5, 1, CONTEST)


def test_fewer_people_than_folds_stops():
    with pytest.raises(UserError, match=r"split.n_folds: 5 folds for 4 people"):
        assign_folds(people(4), 5, 1, CONTEST)


def test_a_person_has_the_first_label_that_is_known_and_the_rest_is_a_stratum_of_its_own():
    given = people(60)
    given.loc[given.photo.str.endswith("/0"), ["gender", "age"]] = ""  # of each person the first photo
    given.loc[given.person.isin(["000", "001", "002", "003", "004"]), ["gender", "age"]] = ""
    folds = assign_folds(given, 5, 1, CONTEST).set_index("person")
    assert folds.loc["000":"004", ["gender", "age"]].eq("").all(axis=None)
    assert (folds.loc["000":"004", "group"] == -1).all()
    assert sorted(folds.loc["000":"004", "fold"]) == [0, 1, 2, 3, 4]
    want = people(60).drop_duplicates("person").set_index("person").loc["005":]
    pd.testing.assert_frame_equal(folds.loc["005":, ["gender", "age"]], want[["gender", "age"]])
    assert folds.loc["005":, "group"].tolist() == CONTEST.age_group(want.age.astype(int)).tolist()


def test_of_two_labels_of_a_person_the_first_photos_counts():
    given = people(60)
    given.loc[given.photo.isin(["0/0", "0/1"]), "age"] = ["", "61"]
    folds = assign_folds(given[::-1], 5, 1, CONTEST).set_index("person")
    assert folds.loc["000", ["age", "group"]].tolist() == ["61", 2]


@pytest.mark.parametrize("attributes", [["mask", "gender"], ["mask"]])
def test_without_age_among_the_classes_people_are_spread_by_gender_alone(attributes):
    given = people(60)
    folds = assign_folds(given, 5, 1, CONTEST.only(attributes))
    assert set(folds.group) == {-1}
    assert set(folds.groupby(["gender", "fold"]).size()) == {6}
    pd.testing.assert_series_equal(folds.age, given.drop_duplicates("person").age, check_index=False)


def test_the_folds_of_other_age_groups_are_spread_by_these():
    four = make_classes({"gender": ("male", "female"), "age": ()}, (20, 30, 50))
    given = people(60)
    given.loc[given.age == "45", "age"] = given.person[given.age == "45"].astype(int).map(lambda i: "35" if i % 4 < 2 else "19")
    folds = assign_folds(given, 3, 1, four)
    assert folds.group.tolist() == np.digitize(folds.age.astype(int), (20, 30, 50)).tolist()
    sizes = folds.groupby(["gender", "group", "fold"]).size().unstack()
    assert (sizes.max(axis=1) - sizes.min(axis=1)).max() <= 1


def test_people_whom_pairs_connect_share_a_fold_and_the_others_are_dealt_as_evenly():
    given, pairs = people(60), [("003", "010"), ("010", "047"), ("020", "021")]
    folds = assign_folds(given, 5, 1, CONTEST, pairs).set_index("person").fold
    assert folds["003"] == folds["010"] == folds["047"]
    assert folds["020"] == folds["021"]
    apart = assign_folds(given, 5, 1, CONTEST).set_index("person").fold
    assert apart["003"] != apart["047"]  # or this would show nothing
    assert set(folds.value_counts()) <= {11, 12, 13}


def test_pairs_that_connect_too_many_people_stop():
    chain = [(f"{i:03d}", f"{i + 1:03d}") for i in range(57)]
    with pytest.raises(UserError, match=r"split.n_folds: 5 folds for 3 groups of people \(split.groups\); at most one fold"):
        assign_folds(people(60), 5, 1, CONTEST, chain)


def test_pairs_that_name_somebody_else_are_counted(here, capsys):
    (here / "twins.csv").write_text("photo_a,person_a,person_b\nx,b,a\ny,a,b\nz,a,someone\nw,c,c\n")
    assert read_pairs("twins.csv", {"a", "b", "c"}) == [("a", "b")]
    assert capsys.readouterr().out == ("twins.csv: 1 pair of people to keep in one fold, 1 more with somebody who is not to "
                                       "train on\n")
    assert read_pairs(None, {"a"}) == []


def test_the_file_of_near_duplicates_is_one_of_groups(own):
    """Two people of the training part who are one: the first two of the folds."""
    people = pd.read_csv(own.root / "data/folds.csv", dtype=str).person
    rows = [("a", "b", people[0], people[1], "0.9")]
    pd.DataFrame(rows, columns=PAIR).to_csv(own.root / "data/groups/twins.csv", index=False)
    own.set(split__groups="data/groups/twins.csv")
    done = own.python("stages.split")
    assert "1 pair of people to keep in one fold" in done.stdout, done.stderr
    folds = pd.read_csv(own.root / "data/folds.csv", dtype=str)
    assert folds.fold[0] == folds.fold[1]
