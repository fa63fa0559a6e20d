"""Write the labels that one model learns, with corrections applied. Run: python -m stages.labels MODEL

Reads   data/given.csv and labels.corrections   person,attribute,old,new,source, and optionally photo
        data/photos.csv and <model>.pseudo      photo,label: pseudo labels of photos to label, by an earlier experiment
Writes  data/labels/<model>.csv                 photo,<attribute>; by name, age in years, empty where missing; all for joint
        data/labels/<model>.json                the values of each attribute that it learns; age: first ages of the groups
        data/corrected/<model>.csv              each correction of the model's attributes, and its outcome
        data/extra/<model>.csv                  photo,label: the pseudo labels, for training, never scored

A correction names a person by `path` or, for people of the contest, by id. It applies only where the old value matches:
to all photos of the person, or to the one that `photo` names.
"""
import re

import pandas as pd

from stages.core.classes import AGE, OLDEST, Classes
from stages.core.command_line import arguments, run
from stages.core.errors import UserError
from stages.core.files import read_csv, write_csv, write_json
from stages.core.model_params import Model
from stages.core.params import read_model

CONTEST_PERSON = re.compile(r"(\d{6}(?:-\d+)?)_(?:male|female)_[^_]+_\d+")
COLUMNS = ["person", "attribute", "old", "new", "source"]
PHOTO = "photo"  # an optional column: empty, or the only photo to correct
SHOWN = 5  # corrections on screen that were not applied


def id_of(person: str) -> str:
    """The id in a contest person's name, such as 001498-1 of 001498-1_male_Asian_23; else the name itself."""
    match = CONTEST_PERSON.fullmatch(person)
    return match[1] if match else person


def read_corrections(file: str, classes: Classes) -> pd.DataFrame:
    """COLUMNS and PHOTO of a file of corrections; raises UserError naming a value that is not allowed."""
    corrections = read_csv(file, COLUMNS)
    check_corrections(corrections, file, classes)
    return corrections.assign(**{PHOTO: corrections.get(PHOTO, "")})[[*COLUMNS, PHOTO]]


def check_corrections(corrections: pd.DataFrame, file: str, classes: Classes) -> None:
    for row in corrections.itertuples():
        if row.attribute not in classes.values:
            raise UserError(f"{file}: attribute of {row.person} is {row.attribute!r}; allowed are "
                            f"{', '.join(classes.attributes)}")
        if row.attribute == AGE:
            if not (row.new.isdecimal() and len(row.new) < 4 and int(row.new) <= OLDEST):
                raise UserError(f"{file}: new age of {row.person} is {row.new[:20]!r}; allowed are whole years to {OLDEST}")
        elif row.new not in classes.values[row.attribute]:
            raise UserError(f"{file}: new {row.attribute} of {row.person} is {row.new!r}; "
                            f"allowed are {', '.join(classes.values[row.attribute])}")


def correct(given: pd.DataFrame, corrections: pd.DataFrame, attribute: str) -> tuple[pd.Series, list[str]]:
    """Apply corrections of one attribute. Returns the labels, in the order of `given`, and each correction's outcome.

    Old values are compared with the labels as given, so two corrections can swap two labels of a person.
    """
    labels, outcomes = given[attribute].copy(), []
    ids, corrected = given.person.map(id_of), pd.Series(False, given.index)
    for row in corrections.itertuples():
        of_person = (given.person == row.person) | (ids == row.person)
        if row.photo:
            of_person &= given.photo == row.photo
        match = of_person & (given[attribute] == row.old)
        if not of_person.any():
            outcomes.append("no such photo of that person" if row.photo else "no such person")
        elif not match.any():
            labelled = " ".join(sorted(set(given[attribute][of_person]) - {""}))
            outcomes.append(f"not applied: the label is {labelled or 'missing'}")
        elif given.person[match].nunique() > 1:
            outcomes.append("not applied: two people have this id")
        elif (corrected & match).any():
            outcomes.append("not applied: an earlier row corrects the same label")
        else:
            labels[match], corrected[match] = row.new, True
            outcomes.append(f"applied to {match.sum()} photos")
    return labels, outcomes


def corrected(given: pd.DataFrame, corrections: pd.DataFrame, attributes: tuple[str, ...]) -> tuple[pd.DataFrame, list]:
    """Corrected labels, (N, attributes), and the outcome of each correction, all of them of these attributes."""
    labels, outcomes = {}, pd.Series("", corrections.index, dtype=object)
    for attribute in attributes:
        rows = corrections[corrections.attribute == attribute]
        labels[attribute], outcomes[rows.index] = correct(given, rows, attribute)
    return pd.DataFrame(labels), list(outcomes)


def not_applied(corrections: pd.DataFrame, outcomes: list[str]) -> list[str]:
    """Person, attribute and reason of each correction that was not applied."""
    return [f"{row.person}, {row.attribute}: {outcome.removeprefix('not applied: ')}"
            for row, outcome in zip(corrections.itertuples(), outcomes) if not outcome.startswith("applied")]


def read_pseudo(file: str, name: str, p: Model) -> pd.DataFrame:
    """photo,label of a file of pseudo labels; raises UserError for photos not in the eval part, unknown labels, duplicates."""
    pseudo = read_csv(file, ["photo", "label"])
    photos = read_csv("data/photos.csv", ["photo", "part"])
    if unknown := sorted(set(pseudo.photo) - set(photos.photo[photos.part == "eval"])):
        raise UserError(f"{file}: {unknown[0]!r} and {len(unknown) - 1} more photos are not among those to label "
                        f"(data/photos.csv, part eval); make {name}.pseudo of an experiment on the same photos")
    if wrong := sorted(set(pseudo.label) - set(p.classes.names)):
        raise UserError(f"{file}: label {wrong[0]!r} is none that {name} learns; allowed are {', '.join(p.classes.names)}")
    if (duplicates := pseudo.photo[pseudo.photo.duplicated()]).any():
        raise UserError(f"{file}: {duplicates.iloc[0]!r} is listed twice")
    return pseudo[["photo", "label"]]


def main():
    [model] = arguments("MODEL")
    p, section = read_model(model)
    attributes, file = section.attributes, p.labels.corrections
    given = read_csv("data/given.csv", ["photo", "person", *attributes])
    corrections = read_corrections(file, p.classes) if file else pd.DataFrame(columns=[*COLUMNS, PHOTO])
    corrections = corrections[corrections.attribute.isin(attributes)]
    none = pd.DataFrame(columns=["photo", "label"])
    pseudo = read_pseudo(section.pseudo, model, section) if section.pseudo else none

    labels, outcomes = corrected(given, corrections, attributes)
    write_csv(pd.concat([given[["photo"]], labels], axis=1), f"data/labels/{model}.csv")
    write_json({name: section.classes.borders if name == AGE else values for name, values in section.classes.values.items()},
               f"data/labels/{model}.json")
    write_csv(corrections.assign(outcome=outcomes), f"data/corrected/{model}.csv")
    write_csv(pseudo, f"data/extra/{model}.csv")
    lost = not_applied(corrections, outcomes)
    print(f"{model}: {len(outcomes) - len(lost)} of {len(corrections)} corrections applied (data/corrected/{model}.csv)"
          + (f", {len(pseudo)} pseudo labels" if section.pseudo else ""))
    for reason in lost[:SHOWN]:
        print(f"  not applied: {reason}")


if __name__ == "__main__":
    run(main)
