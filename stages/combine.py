"""Vote over the members of each attribute, and make the 18-class label of the three. Run: python -m stages.combine

Reads   data/predictions/<model>/<fold>.parquet of the listed models and folds, data/photos.csv, data/labels/
Writes  data/combined.parquet   photo,part,class,mask,gender,age and the probabilities mask_0 ... age_2
        reports/submission.csv  ImageID,ans: the eval part, in the form and order of the contest's info.csv

A training photo is voted on by the models that have not seen its person, an eval photo by all. An eval photo that
could not be decoded gets the commonest class of the labels, so that the submission keeps all its rows.
"""
from pathlib import Path

import numpy as np
import pandas as pd

from stages.lib.classes import ATTRIBUTES, VALUES, encode
from stages.lib.errors import run
from stages.lib.files import read_csv, write_csv, write_parquet
from stages.lib.params import Params, read_params
from stages.lib.truth import read_truth
from stages.lib.votes import vote


def vote_on(attribute: str, p: Params) -> pd.DataFrame:
    """Voted probabilities of one attribute: a row a photo, columns <attribute>_0, ..."""
    files = [f"data/predictions/{name}/{fold}.parquet" for name in p.of(attribute) for fold in p.folds]
    members = pd.concat([pd.read_parquet(file) for file in files]).sort_values("photo", kind="stable")
    members = members.set_index("photo")
    size, out = members.groupby("photo").size(), []
    for count in sorted(set(size)):  # a held-out photo has fewer members than one of the eval part
        photos = size.index[size == count]
        chances = members.loc[photos].to_numpy().reshape(len(photos), count, -1)
        out.append(pd.DataFrame(vote(chances.swapaxes(0, 1), p.combine.vote), index=photos))
    return pd.concat(out).add_prefix(f"{attribute}_")


def label(chances: pd.DataFrame) -> pd.DataFrame:
    """Columns mask, gender, age and class: the likeliest of each, and their class from 0 to 17."""
    best = {a: chances[[f"{a}_{i}" for i in range(len(VALUES[a]))]].to_numpy().argmax(1) for a in ATTRIBUTES}
    return pd.DataFrame({**best, "class": encode(**best)}, index=chances.index)


def submission(photos: pd.DataFrame, labelled: pd.DataFrame, commonest: int, folder: str) -> pd.DataFrame:
    """ImageID (the photo below `folder`) and ans of the eval part, in its order; `commonest` for photos unlabelled."""
    evals = photos.photo[photos.part == "eval"]
    answers = evals.map(labelled["class"]).fillna(commonest).astype(int)
    return pd.DataFrame({"ImageID": evals.str.removeprefix(folder), "ans": answers})


def main():
    p = read_params()
    truth = read_truth(p)  # first, since it says which attribute no listed model learns
    photos = read_csv("data/photos.csv", ["photo", "part"])
    chances = pd.concat([vote_on(attribute, p) for attribute in ATTRIBUTES], axis=1)
    known = photos[photos.photo.isin(chances.index)]
    chances = chances.loc[known.photo]
    labelled = label(chances)
    commonest = int(np.bincount(truth["class"], minlength=18).argmax())

    combined = pd.concat([known.set_index("photo"), labelled, chances], axis=1).reset_index()
    answers = submission(photos, labelled, commonest, "" if p.data.table else "eval/images/")
    write_parquet(combined, "data/combined.parquet")
    write_csv(answers, Path("reports/submission.csv"))
    lost = len(answers) - (known.part == "eval").sum()
    print(f"{len(answers)} photos labelled (reports/submission.csv)"
          + (f", {lost} of which could not be decoded and got the commonest class, {commonest}" if lost else ""))


if __name__ == "__main__":
    run(main)
