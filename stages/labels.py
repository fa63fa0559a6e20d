"""The labels that one model learns, corrected where they are known to be wrong. Run: python -m stages.labels MODEL

Reads   data/given.csv and labels.corrections   person,attribute,old,new,source
Writes  data/labels/<model>.csv                 photo,<attribute>; mask and gender by name, age in years
        data/corrected/<model>.csv              each correction of the attribute, and what became of it

A correction names a person by `path` or, for people of the contest, by id, and counts only where the old value matches.
"""
import re
import sys

import pandas as pd

from stages.lib.classes import OLDEST, VALUES
from stages.lib.errors import UserError, run
from stages.lib.files import read_csv, write_csv
from stages.lib.params import read_model

CONTEST_PERSON = re.compile(r"(\d{6}(?:-\d+)?)_(?:male|female)_[^_]+_\d+")
COLUMNS = ["person", "attribute", "old", "new", "source"]


def id_of(person: str) -> str:
    """The id within the name of a person of the contest, such as 001498-1_male_Asian_23; else the name itself."""
    match = CONTEST_PERSON.fullmatch(person)
    return match[1] if match else person


def check_corrections(corrections: pd.DataFrame, file: str) -> None:
    for row in corrections.itertuples():
        if row.attribute not in VALUES:
            raise UserError(f"{file}: attribute of {row.person} is {row.attribute!r}; allowed are {', '.join(VALUES)}")
        if row.attribute == "age":
            if not (row.new.isdecimal() and int(row.new) <= OLDEST):
                raise UserError(f"{file}: new age of {row.person} is {row.new!r}; allowed are whole years to {OLDEST}")
        elif row.new not in VALUES[row.attribute]:
            raise UserError(f"{file}: new {row.attribute} of {row.person} is {row.new!r}; "
                            f"allowed are {', '.join(VALUES[row.attribute])}")


def correct(given: pd.DataFrame, corrections: pd.DataFrame, attribute: str) -> tuple[pd.Series, list[str]]:
    """Apply corrections of one attribute. Returns the labels (in the order of `given`) and each correction's outcome.

    Every old value is compared with the label as given, so two corrections can swap two labels of a person.
    """
    labels, outcomes = given[attribute].copy(), []
    ids, corrected = given.person.map(id_of), pd.Series(False, given.index)
    for row in corrections.itertuples():
        here = (given.person == row.person) | (ids == row.person)
        match = here & (given[attribute] == row.old)
        if not here.any():
            outcomes.append("no such person")
        elif not match.any():
            outcomes.append(f"not applied: the label is {' '.join(sorted(set(given[attribute][here])))}")
        elif given.person[match].nunique() > 1:
            outcomes.append("not applied: two people have this id")
        elif (corrected & match).any():
            outcomes.append("not applied: an earlier row corrects the same label")
        else:
            labels[match], corrected[match] = row.new, True
            outcomes.append(f"applied to {match.sum()} photos")
    return labels, outcomes


def main():
    p, section = read_model(sys.argv[1])
    model, attribute, file = sys.argv[1], section.attribute, p.labels.corrections
    given = read_csv("data/given.csv", ["photo", "person", attribute])
    corrections = read_csv(file, COLUMNS)[COLUMNS] if file else pd.DataFrame(columns=COLUMNS)
    check_corrections(corrections, file)
    corrections = corrections[corrections.attribute == attribute]

    labels, outcomes = correct(given, corrections, attribute)
    write_csv(given[["photo"]].assign(**{attribute: labels}), f"data/labels/{model}.csv")
    write_csv(corrections.assign(outcome=outcomes), f"data/corrected/{model}.csv")
    applied = sum(o.startswith("applied") for o in outcomes)
    print(f"{attribute}: {applied} of {len(corrections)} corrections applied (data/corrected/{model}.csv)")


if __name__ == "__main__":
    run(main)
