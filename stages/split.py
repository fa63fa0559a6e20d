"""Split the people into stratified folds. Run: python -m stages.split

Reads   data/given.csv   labels as given, so that a later correction moves no person to another fold
Writes  data/folds.csv   person,fold,gender,age   gender and age as given, for samplers and mixing

Stratified by gender x official age group with scikit-learn's StratifiedGroupKFold, and grouped by person: a split by
photo would leak, since the seven photos of a person are near copies.
"""
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from stages.core.classes import age_group
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.files import read_csv, write_csv
from stages.core.params import read_params


def assign_folds(given: pd.DataFrame, n_folds: int, seed: int) -> pd.DataFrame:
    """person, fold, gender and age, sorted by person, from `given`: a row a photo, with age in years.

    Raises UserError if there are fewer people than folds, or no gender and age group has as many photos.
    """
    people = given.person.nunique()
    if people < n_folds:
        raise UserError(f"params.yaml: split.n_folds: {n_folds} folds for {people} people; at most one fold a person")
    given = given.sort_values(["person", "photo"], ignore_index=True)
    strata = given.gender + given.age.astype(int).map(age_group).astype(str)
    folds = pd.Series(0, given.index)
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    try:
        for fold, (_, held_out) in enumerate(splitter.split(given, strata, given.person)):
            folds[held_out] = fold
    except ValueError:  # scikit-learn's limit
        raise UserError(f"params.yaml: split.n_folds: {n_folds}, but no gender and age group has as many photos, "
                        f"{strata.value_counts().max()} at most; lower it") from None
    return given.assign(fold=folds)[["person", "fold", "gender", "age"]].drop_duplicates("person", ignore_index=True)


def main():
    p = read_params()
    folds = assign_folds(read_csv("data/given.csv", ["photo", "person", "gender", "age"]), p.split.n_folds, p.split.seed)
    write_csv(folds, "data/folds.csv")
    print("people a fold:", *folds.fold.value_counts().sort_index())


if __name__ == "__main__":
    run(main, words=False)
