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

from stages.lib.classes import ATTRIBUTES, CLASSES, VALUES, decode
from stages.lib.decision import decide, joint
from stages.lib.errors import run
from stages.lib.files import read_csv, write_csv, write_parquet
from stages.lib.params import Params, read_params
from stages.lib.truth import read_truth
from stages.lib.votes import vote


def vote_on(attribute: str, p: Params) -> pd.DataFrame:
    """Voted probabilities of one attribute: a row a photo, columns <attribute>_0, ..."""
    tables = [pd.read_parquet(f"data/predictions/{name}/{fold}.parquet").assign(weight=p.combine.weights.get(name, 1.0))
              for name in p.of(attribute) for fold in p.folds]
    members = pd.concat(tables).sort_values("photo", kind="stable").set_index("photo")
    size, out = members.groupby("photo").size(), []
    for count in sorted(set(size)):  # a held-out photo has fewer members than one of the eval part
        photos = size.index[size == count]
        rows = members.loc[photos].to_numpy().reshape(len(photos), count, -1).swapaxes(0, 1)
        chances, weights = rows[:, :, :-1], rows[:, 0, -1]  # the same models for all of them, in the same order
        out.append(pd.DataFrame(vote(chances, p.combine.vote, weights), index=photos))
    return pd.concat(out).add_prefix(f"{attribute}_")


def log_chances(chances: pd.DataFrame) -> np.ndarray:
    """Log-probabilities (N, 18) of the classes, from columns mask_0 ... age_2."""
    return joint(*(chances[[f"{a}_{i}" for i in range(len(VALUES[a]))]].to_numpy() for a in ATTRIBUTES))


def label(classes: np.ndarray, photos: pd.Index) -> pd.DataFrame:
    """Columns mask, gender, age and class, of classes (N,) from 0 to 17."""
    return pd.DataFrame({**dict(zip(ATTRIBUTES, decode(classes))), "class": classes}, index=photos)


def decided(chances: pd.DataFrame, truth: pd.DataFrame, people: pd.Series, decision: str) -> np.ndarray:
    """The class (N,) of each photo; `people` (N,) are whose they are, and `truth` holds those of the training part."""
    logs = log_chances(chances)
    if decision == "argmax":
        return logs.argmax(1)
    true = truth["class"].reindex(chances.index)
    classes, offsets = decide(logs, true.fillna(-1).astype(int).to_numpy(), people.to_numpy(), true.notna().to_numpy())
    print("offsets:", ", ".join(f"{name} {value:+.1f}" for name, value in zip(CLASSES, offsets) if value))
    return classes


def submission(photos: pd.DataFrame, labelled: pd.DataFrame, commonest: int, folder: str) -> pd.DataFrame:
    """ImageID (the photo below `folder`) and ans of the eval part, in its order; `commonest` for photos unlabelled."""
    evals = photos.photo[photos.part == "eval"]
    answers = evals.map(labelled["class"]).fillna(commonest).astype(int)
    return pd.DataFrame({"ImageID": evals.str.removeprefix(folder), "ans": answers})


def main():
    p = read_params()
    truth = read_truth(p)  # first, since it says which attribute no listed model learns
    photos = read_csv("data/photos.csv", ["photo", "person", "part"])
    chances = pd.concat([vote_on(attribute, p) for attribute in ATTRIBUTES], axis=1)
    known = photos[photos.photo.isin(chances.index)]
    chances = chances.loc[known.photo]
    labelled = label(decided(chances, truth, known.person, p.combine.decision), chances.index)
    commonest = int(np.bincount(truth["class"], minlength=18).argmax())

    combined = pd.concat([known.set_index("photo")[["part"]], labelled, chances], axis=1).reset_index()
    answers = submission(photos, labelled, commonest, "" if p.data.table else "eval/images/")
    write_parquet(combined, "data/combined.parquet")
    write_csv(answers, Path("reports/submission.csv"))
    lost = len(answers) - (known.part == "eval").sum()
    print(f"{len(answers)} photos labelled (reports/submission.csv)"
          + (f", {lost} of which could not be decoded and got the commonest class, {commonest}" if lost else ""))


if __name__ == "__main__":
    run(main)
