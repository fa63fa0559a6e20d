"""Combine the models' predictions by voting into joint classes and a submission. Run: python -m stages.combine

Reads   data/predictions/<model>/<fold>.parquet of the listed models and folds (and refit.parquet), data/photos.csv,
        data/labels/
Writes  data/combined.parquet   photo,part,mask,gender,age,class and the probabilities class_0, class_1, ...
        data/decision.json      temperatures of each model's networks, by fold, and an offset a class, which label a new photo
        reports/submission.csv  ImageID,ans: the eval part, in the form and order of the contest's info.csv

On a training photo only those models vote that were not trained on its person; on an eval photo all do, a refitted model
instead of its folds. An eval photo that could not be decoded gets the commonest class of the labels, so that the
submission has all its rows.
"""
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from labeller.voting.ballots import vote_on_ballots
from labeller.voting.probabilities import joint, logs_of, scale
from labeller.voting.vote import vote
from stages.core.classes import OF_PERSON, Classes
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.files import read_csv, write_csv, write_json, write_parquet
from stages.core.metrics import CLASS, with_values
from stages.core.params import SPECIALISTS, Params, read_params
from stages.evaluation.ground_truth import read_truth
from stages.evaluation.tables import read_predictions
from stages.voting.calibration import find_temperature
from stages.voting.class_offsets import cross_fitted, find_offsets, groups_of
from stages.voting.person_vote import sure_of_masks, vote_by_person

PREDICTIONS = Path("data/predictions")
Members = dict[str, dict[str, pd.DataFrame]]  # photo, p0, p1, ... of each network, by model and by fold or "refit"


def read_member(name: str, fold: str, p: Params, photos: pd.Series) -> pd.DataFrame:
    """photo, p0, p1, ... by one network of a model, a fold's or "refit"; photos: those of data/photos.csv."""
    columns = [f"p{i}" for i in range(p.sections[name].classes.count)]
    stage = f"predict_refit@{name}" if fold == "refit" else f"predict@{name}-{fold}"
    return read_predictions(PREDICTIONS / name / f"{fold}.parquet", [], columns, {}, photos, stage)[["photo", *columns]]


def read_members(name: str, p: Params, photos: pd.Series) -> dict[str, pd.DataFrame]:
    """The tables of a model's folds, by fold; if it was refitted, "refit" alone predicts the photos to label."""
    tables = {str(fold): read_member(name, str(fold), p, photos) for fold in p.folds}
    if name in p.refit:
        last = read_member(name, "refit", p, photos)
        tables = {fold: table[~table.photo.isin(last.photo)] for fold, table in tables.items()} | {"refit": last}
    return tables


def temperatures(name: str, tables: dict[str, pd.DataFrame], p: Params, truth: pd.DataFrame) -> dict[str, float]:
    """The temperature of each fold's network of a model, found on the photos that it holds out; "refit": their median.

    All 1 without combine.calibration. tables: those of read_members; truth: of the training part.
    """
    if p.combine.calibration == "none":
        return dict.fromkeys([*map(str, p.folds), "refit"], 1.0)
    attribute, found = p.sections[name].attribute, {}
    for fold in map(str, p.folds):
        table = tables[fold]
        true = truth["class" if attribute == "joint" else attribute]
        known = table[table.photo.isin(true.index[true >= 0])].set_index("photo")
        true = true.loc[known.index]
        found[fold] = find_temperature(known.to_numpy(), true.to_numpy())
    return found | {"refit": median(found.values())}


def calibrated(table: pd.DataFrame, temperature: float) -> pd.DataFrame:
    """The table of a member with its probabilities scaled."""
    if temperature == 1:
        return table
    columns = table.columns.drop("photo")
    return table.assign(**dict(zip(columns, scale(table[columns].to_numpy(), temperature).T)))


def vote_over(names: list[str], members: Members, p: Params) -> pd.DataFrame:
    """Vote over models of one attribute: probabilities, a row a photo, columns p0, p1, ..."""
    tables = []
    for name in names:  # a model's folds that vote on a photo share its weight
        table = pd.concat(members[name].values())
        tables.append(table.assign(weight=p.combine.weights.get(name, 1.0) / table.groupby("photo").photo.transform("size")))
    voters = pd.concat(tables).sort_values("photo", kind="stable").set_index("photo")
    size, out = voters.groupby("photo").size(), []
    for count in sorted(set(size)):  # a training photo has fewer members than an eval photo
        photos = size.index[size == count]
        rows = voters.loc[photos].to_numpy().reshape(len(photos), count, -1).swapaxes(0, 1)
        probabilities, weights = rows[:, :, :-1], rows[:, 0, -1]  # the same models for all of these photos, in one order
        out.append(pd.DataFrame(vote(probabilities, p.combine.vote, weights), photos, voters.columns[:-1]))
    return pd.concat(out).sort_index()


def vote_on_classes(members: Members, p: Params) -> pd.DataFrame:
    """Vote on the joint classes: probabilities, a row a photo, columns class_0, class_1, ...

    The specialists together have one ballot, the product of their votes on each attribute; each joint model has one.
    """
    weights = {name: p.combine.weights.get(name, 1.0) for name in (*p.joint, SPECIALISTS)}
    ballots = {name: vote_over([name], members, p) for name in p.joint if weights[name]}
    attributes = p.classes.attributes
    if weights[SPECIALISTS] and p.specialists(attributes[0]):
        each = [vote_over(p.specialists(attribute), members, p) for attribute in attributes]
        ballots[SPECIALISTS] = pd.DataFrame(joint(*(table.to_numpy() for table in each)), each[0].index)
    photos = next(iter(ballots.values())).index
    voted = vote_on_ballots({name: table.loc[photos].to_numpy() for name, table in ballots.items()}, weights, p.combine.vote)
    return pd.DataFrame(voted, photos, [f"class_{i}" for i in range(p.classes.count)])


def decide_classes(probabilities: pd.DataFrame, truth: pd.DataFrame, people: pd.Series, p: Params) -> np.ndarray:
    """Classes (N,) by combine.decision. truth: ground truth of the training part; people: (N,) the person of each photo."""
    logs = logs_of(probabilities.to_numpy())
    if p.combine.decision == "argmax":
        return logs.argmax(1)
    true = truth[CLASS].reindex(probabilities.index, fill_value=-1).to_numpy()
    number, offsets = cross_fitted(logs, true, people.to_numpy(), true >= 0, groups_of(p.combine.decision, p.classes))
    print("offsets:", ", ".join(f"{name} {value:+.1f}" for name, value in zip(p.classes.names, offsets) if value))
    return number


def offsets_for_new(probabilities: pd.DataFrame, truth: pd.DataFrame, p: Params) -> list[float]:
    """The offsets, one a class, for a photo from outside, which is labelled by itself: found on all of the training part."""
    known = probabilities.index.intersection(truth.index[truth[CLASS] >= 0])
    if p.combine.decision == "argmax" or known.empty:
        return [0.0] * p.classes.count
    logs = logs_of(probabilities.loc[known].to_numpy())
    return find_offsets(logs, truth[CLASS].loc[known].to_numpy(), groups_of(p.combine.decision, p.classes)).tolist()


def persons(photos: pd.DataFrame, truth: pd.DataFrame, table: str, classes: Classes) -> np.ndarray:
    """part and person of each photo (N,); raises UserError where `table` does not tell the person, or labels one as two."""
    if (unknown := photos.photo[photos.person == ""]).size:
        raise UserError(f"{table}: photo {unknown.iloc[0]} has no person ({len(unknown)} photos), and combine.by_person: true "
                        "asks for one; fill in `person`, or set it to false")
    labels = truth[list(classes.only(OF_PERSON).attributes)].reindex(photos.photo)  # NaN for photos to label
    known = labels.where(labels >= 0).groupby(photos.person.to_numpy()).nunique().max(axis=1)
    if len(twofold := known.index[known > 1]):
        raise UserError(f"{table}: {twofold[0]} has photos of two genders or age groups ({len(twofold)} people), and "
                        "combine.by_person: true gives each person one; name them apart, or set it to false")
    return (photos.part + "/" + photos.person).to_numpy()


def submission(photos: pd.DataFrame, labelled: pd.DataFrame, commonest: int, folder: str) -> pd.DataFrame:
    """ImageID (path without prefix `folder`) and ans of the eval part, in its order; `commonest` where a label is missing."""
    evals = photos.photo[photos.part == "eval"]
    answers = evals.map(labelled["class"]).fillna(commonest).astype(int)
    return pd.DataFrame({"ImageID": evals.str.removeprefix(folder), "ans": answers})


def commonest_class(truth: pd.DataFrame, classes: Classes) -> int:
    """The commonest joint class of the labels, or that of the commonest values where no photo has all labels."""
    number = truth[CLASS][truth[CLASS] >= 0]
    if len(number):
        return int(np.bincount(number).argmax())
    return int(classes.encode(*(np.bincount(truth[a][truth[a] >= 0], minlength=1).argmax() for a in classes.attributes)))


def main():
    p = read_params()
    truth = read_truth(p)
    photos = read_csv("data/photos.csv", ["photo", "person", "part"])
    members = {name: read_members(name, p, photos.photo) for name in p.models}
    scales = {name: temperatures(name, tables, p, truth) for name, tables in members.items()}
    probabilities = vote_on_classes({name: {fold: calibrated(table, scales[name][fold]) for fold, table in tables.items()}
                                     for name, tables in members.items()}, p)
    offsets = offsets_for_new(probabilities, truth, p)
    known = photos[photos.photo.isin(probabilities.index)]
    probabilities = probabilities.loc[known.photo]
    chances = probabilities
    if p.combine.by_person:
        people = persons(known, truth, p.data.table or p.data.root, p.classes)
        probabilities[:] = vote_by_person(probabilities.to_numpy(), people, p.classes.cells)
        chances = pd.DataFrame(sure_of_masks(probabilities.to_numpy(), p.classes.cells), probabilities.index)
    if p.combine.decision != "argmax" and p.combine.calibration == "none" and len(p.folds) > 1 and set(p.models) - set(p.refit):
        print(f"note: offsets are found on the predictions of one fold and decide the vote of {len(p.folds)}; "
              "combine.calibration: temperature makes both equally sure")
    labelled = with_values(decide_classes(chances, truth, known.person, p), p.classes).set_index(probabilities.index)
    commonest = commonest_class(truth, p.classes)

    combined = pd.concat([known.set_index("photo")[["part"]], labelled, probabilities], axis=1).reset_index()
    answers = submission(photos, labelled, commonest, "" if p.data.table else "eval/images/")
    write_parquet(combined, "data/combined.parquet")
    write_csv(answers, Path("reports/submission.csv"))
    write_json({"temperatures": scales, "offsets": offsets}, "data/decision.json")
    lost = len(answers) - (known.part == "eval").sum()
    print(f"{len(answers)} photos labelled (reports/submission.csv)"
          + (f", {lost} of which could not be decoded and got the commonest class, {commonest}" if lost else ""))


if __name__ == "__main__":
    run(main, words=False)
