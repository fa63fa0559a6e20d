"""Score a submission by the contest's rule. Run: python -m tools.score SUBMISSION LABELS

Both are CSV files with ImageID and ans (0 to 17), in any order. Prints macro F1 over the 18 fixed classes, accuracy,
the same of mask, gender and age, and F1 and share of each class.
"""
import argparse

import pandas as pd

from stages.lib.classes import ATTRIBUTES, CLASSES
from stages.lib.errors import UserError, run
from stages.lib.files import read_csv
from stages.lib.scoring import scores, shares


def read_answers(path: str) -> pd.Series:
    """Class of each ImageID; raises UserError where a class is none of 0 to 17 or an ImageID stands twice."""
    table = read_csv(path, ["ImageID", "ans"])
    wrong = table[~table.ans.isin([str(i) for i in range(len(CLASSES))])]
    if len(wrong):
        raise UserError(f"{path}: ans of {wrong.ImageID.iloc[0]} is {wrong.ans.iloc[0]!r}; "
                        f"allowed are whole numbers from 0 to {len(CLASSES) - 1}")
    if table.ImageID.duplicated().any():
        raise UserError(f"{path}: ImageID {table.ImageID[table.ImageID.duplicated()].iloc[0]} stands in two rows")
    if table.empty:
        raise UserError(f"{path}: no rows")
    return table.set_index("ImageID").ans.astype(int)


def score_files(submission: str, labels: str) -> tuple[dict, dict]:
    """Scores and shares of a submission; every photo must be in both files."""
    guess, true = read_answers(submission), read_answers(labels)
    for one, two, file, other in ((true, guess, submission, labels), (guess, true, labels, submission)):
        if len(missing := one.index.difference(two.index)):
            raise UserError(f"{file}: {len(missing)} photos of {other} are missing, such as {missing[0]}")
    pair = true.to_numpy(), guess.loc[true.index].to_numpy()
    return scores(*pair), shares(*pair)


def main():
    parser = argparse.ArgumentParser(prog="python -m tools.score", description=__doc__.split("\n\n")[0])
    parser.add_argument("submission", metavar="SUBMISSION")
    parser.add_argument("labels", metavar="LABELS")
    files = parser.parse_args()
    result, share = score_files(files.submission, files.labels)
    print(f"{'':24} {'F1':>7} {'accuracy':>9}")
    for name, row in (("18 classes", result), *((a, result[a]) for a in ATTRIBUTES)):
        print(f"{name:24} {row['f1']:7.4f} {row['accuracy']:9.4f}")
    print(f"\n{'class':24} {'F1':>7} {'of labels':>9} {'of answers':>10}")
    for name, f1 in result["f1_by_class"].items():
        print(f"{name:24} {f1:7.4f} {share[name]['label']:9.1%} {share[name]['predicted']:10.1%}")


if __name__ == "__main__":
    run(main)
