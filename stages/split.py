"""Split the people into stratified folds. Run: python -m stages.split

Reads   data/given.csv   labels as given, so that a later correction moves no person to another fold
        split.groups     person_a,person_b: pairs of people to keep in one fold, such as twins or one person under two names
Writes  data/folds.csv   person,fold,gender,age,group   gender, age and age group as given, for samplers and mixing; "" and
                         -1 where missing

Stratified by gender x official age group with scikit-learn's StratifiedGroupKFold, and grouped by person: a split by
photo would leak, since the seven photos of a person are near copies. A missing gender or age is a stratum of its own.
"""
import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from stages.core.classes import AGE, Classes
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.files import read_csv, write_csv
from stages.core.params import read_params


def read_pairs(file: str | None, people: set[str]) -> list[tuple[str, str]]:
    """Pairs of different people to train on, of a file of pairs; counts on screen those that name anybody else."""
    if not file:
        return []
    table = read_csv(file, ["person_a", "person_b"])
    pairs = {tuple(sorted(pair)) for pair in zip(table.person_a, table.person_b) if pair[0] != pair[1] and people >= {*pair}}
    left = sum(not people >= {*pair} for pair in zip(table.person_a, table.person_b))
    print(f"{file}: {len(pairs)} pair{'s' * (len(pairs) != 1)} of people to keep in one fold"
          + f", {left} more with somebody who is not to train on" * bool(left))
    return sorted(pairs)


def united(people: pd.Series, pairs: list[tuple[str, str]]) -> pd.Series:
    """The first person, by name, of the group of each person (N,): those whom pairs connect, directly or by others."""
    names, number = np.unique(people, return_inverse=True)
    ends = np.searchsorted(names, np.array(pairs, dtype=names.dtype).reshape(-1, 2))
    links = coo_array((np.ones(len(ends)), ends.T), shape=(len(names), len(names)))
    _, group = connected_components(links, directed=False)
    _, first = np.unique(group, return_index=True)
    return pd.Series(names[first[group]][number], people.index)


def assign_folds(given: pd.DataFrame, n_folds: int, seed: int, classes: Classes, pairs: list = ()) -> pd.DataFrame:
    """person, fold, gender, age and group, sorted by person, from `given`, which has a row a photo; empty where missing.

    pairs: of people who share a fold. Raises UserError if there are fewer people, or groups of them, than folds, or no gender
    and age group has as many photos.
    """
    given = given.sort_values(["person", "photo"], ignore_index=True)
    together = united(given.person, pairs)
    people = together.nunique()
    if people < n_folds:
        what = "groups of people (split.groups)" if len(pairs) else "people"
        raise UserError(f"params.yaml: split.n_folds: {n_folds} folds for {people} {what}; at most one fold for each")
    strata = given.gender + age_groups_of(given.age, classes).astype(str)
    folds = pd.Series(0, given.index)
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    try:
        for fold, (_, held_out) in enumerate(splitter.split(given, strata, together)):
            folds[held_out] = fold
    except ValueError:  # scikit-learn's limit
        raise UserError(f"params.yaml: split.n_folds: {n_folds}, but no gender and age group has as many photos, "
                        f"{strata.value_counts().max()} at most; lower it") from None
    known = given.assign(fold=folds)[["person", "fold", "gender", "age"]].replace("", None)
    known = known.groupby("person").first().fillna("").reset_index()  # the first label that is not missing
    return known.assign(group=age_groups_of(known.age, classes))


def age_groups_of(ages: pd.Series, classes: Classes) -> pd.Series:
    """Age groups (N,) of ages as text; -1 where one is missing, or where age is none of the attributes."""
    return pd.Series(classes.values_of(AGE, ages) if AGE in classes.values else -1, ages.index)


def main():
    p = read_params()
    given = read_csv("data/given.csv", ["photo", "person", "gender", "age"])
    pairs = read_pairs(p.split.groups, set(given.person))
    folds = assign_folds(given, p.split.n_folds, p.split.seed, p.all_classes, pairs)
    write_csv(folds, "data/folds.csv")
    print("people a fold:", *folds.fold.value_counts().sort_index())


if __name__ == "__main__":
    run(main, words=False)
