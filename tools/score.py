"""Score a submission by the contest's rule. Run: python -m tools.score SUBMISSION LABELS [--against OTHER]

All are CSV files with ImageID and ans (0 to 17), in any order. Prints macro F1 over the 18 fixed classes and accuracy,
the same for mask, gender and age, and F1 and share of each class. With --against it compares SUBMISSION with OTHER as
tools.compare does: the difference, and whether it may be chance. LABELS then needs a column person: whose photo it is.
"""
import argparse

import pandas as pd

from labeller.parser import Parser
from stages.core.classes import CONTEST
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.files import read_csv
from stages.core.metrics import scores, shares, with_values
from tools.compare import report


def read_answers(path: str) -> pd.Series:
    """Class of each ImageID; raises UserError for a class outside 0 to 17, a duplicate ImageID, or an empty table."""
    table = read_csv(path, ["ImageID", "ans"])
    wrong = table[~table.ans.isin([str(i) for i in range(CONTEST.count)])]
    if len(wrong):
        raise UserError(f"{path}: ans of {wrong.ImageID.iloc[0]} is {wrong.ans.iloc[0]!r}; "
                        f"allowed are whole numbers from 0 to {CONTEST.count - 1}")
    if table.ImageID.duplicated().any():
        raise UserError(f"{path}: ImageID {table.ImageID[table.ImageID.duplicated()].iloc[0]} stands in two rows")
    if table.empty:
        raise UserError(f"{path}: no rows")
    return table.set_index("ImageID").ans.astype(int)


def read_pair(submission: str, labels: str) -> tuple[pd.Series, pd.Series]:
    """True and submitted class of each ImageID; raises UserError unless both files have the same photos."""
    guess, true = read_answers(submission), read_answers(labels)
    for one, two, file, other in ((true, guess, submission, labels), (guess, true, labels, submission)):
        if len(missing := one.index.difference(two.index)):
            raise UserError(f"{file}: {len(missing)} photos of {other} are missing, such as {missing[0]}")
    return true, guess.loc[true.index]


def score_files(submission: str, labels: str) -> tuple[dict, dict]:
    """Scores and shares of a submission."""
    pair = [numbers.to_numpy() for numbers in read_pair(submission, labels)]
    return scores(*(with_values(numbers, CONTEST) for numbers in pair), CONTEST), shares(*pair, CONTEST)


def read_side(submission: str, labels: str) -> list[pd.DataFrame]:
    """photo, person, true and guess of every photo, in the form of tools.compare."""
    true, guess = read_pair(submission, labels)
    people = read_csv(labels, ["ImageID", "person"]).set_index("ImageID").person
    if len(nobody := people[people == ""]):
        raise UserError(f"{labels}: person of {nobody.index[0]} is empty; where nobody knows, give each photo another name")
    return [pd.DataFrame({"photo": true.index, "person": people.loc[true.index], "true": true, "guess": guess})]


def describe(result: dict, share: dict) -> str:
    """The printed text for the scores and shares of score_files."""
    lines = [f"{'':24} {'F1':>7} {'accuracy':>9}"]
    for name, row in (("18 classes", result), *((a, result[a]) for a in CONTEST.attributes)):
        lines.append(f"{name:24} {row['f1']:7.4f} {row['accuracy']:9.4f}")
    lines += ["", f"{'class':24} {'F1':>7} {'of labels':>9} {'of answers':>10}"]
    for name, f1 in result["f1_by_class"].items():
        lines.append(f"{name:24} {f1:7.4f} {share[name]['label']:9.1%} {share[name]['predicted']:10.1%}")
    return "\n".join(lines)


def main():
    parser = Parser(prog="python -m tools.score", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("submission", metavar="SUBMISSION")
    parser.add_argument("labels", metavar="LABELS")
    parser.add_argument("--against", metavar="OTHER", help="another submission")
    files = parser.parse_args()
    if files.against == files.submission:
        raise UserError(f"--against: {files.against} is SUBMISSION itself; name another")
    if files.against:
        print(report({file: read_side(file, files.labels) for file in (files.against, files.submission)}, CONTEST))
    else:
        print(describe(*score_files(files.submission, files.labels)))


if __name__ == "__main__":
    run(main)
