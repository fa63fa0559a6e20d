"""Nobody is in two folds, and every fold has its share of each gender and age group."""
import numpy as np
import pandas as pd
import pytest

from stages.core.errors import UserError
from stages.split import assign_folds


def people(count: int) -> pd.DataFrame:
    rows = [(f"{i}/{n}", f"{i:03d}", ("male", "female")[i % 2], str((25, 45, 65)[i // 2 % 3]))
            for i in range(count) for n in range(7)]
    return pd.DataFrame(rows, columns=["photo", "person", "gender", "age"])


def test_each_person_is_in_one_fold_and_no_fold_lacks_a_group():
    given = people(60)
    folds = assign_folds(given, 5, 1)
    assert sorted(folds.person) == sorted(given.person.unique())
    groups = folds.groupby(["gender", "age", "fold"]).size()
    assert set(groups) == {2}


def test_gender_and_age_are_kept_as_given():
    given = people(60)
    want = given.drop_duplicates("person").set_index("person")[["gender", "age"]]
    pd.testing.assert_frame_equal(assign_folds(given, 5, 1).set_index("person")[["gender", "age"]], want)


def test_the_folds_do_not_depend_on_the_order_of_the_rows():
    given = people(30)
    shuffled = given.iloc[np.random.default_rng(0).permutation(len(given))]
    pd.testing.assert_frame_equal(assign_folds(given, 3, 1), assign_folds(shuffled, 3, 1))


def test_another_seed_deals_otherwise():
    assert not assign_folds(people(60), 5, 1).equals(assign_folds(people(60), 5, 2))


def test_groups_smaller_than_the_number_of_folds_stop():
    one_each = people(6).drop_duplicates("person")
    with pytest.raises(UserError, match=r"split.n_folds: 5, but no gender and age group has as many photos, 1 at most"):
        assign_folds(one_each, 5, 1)


def test_fewer_people_than_folds_stops():
    with pytest.raises(UserError, match=r"split.n_folds: 5 folds for 4 people"):
        assign_folds(people(4), 5, 1)
