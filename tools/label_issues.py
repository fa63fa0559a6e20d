"""List probable label errors and near-duplicate photos. Run after dvc repro: python -m tools.label_issues

Writes  reports/suspects.csv   person,attribute,old,new,source,photo,score,rank: delete the rows that you do not
                               believe, and give the rest to labels.corrections
        reports/twins.csv      photo_a,photo_b,person_a,person_b,correlation: photos of the training part, each with a
                               near-duplicate of another person or of the eval part

Both are lists to look at, most suspicious first: neither verdicts nor complete. Only out-of-fold predictions count: those
for the people of the trained folds. stages/evaluation/label_issues.py explains the method.
"""
import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from labeller.parser import Parser
from stages.core.classes import AGE, OF_PERSON, years_of
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.core.files import read_csv, write_csv
from stages.core.params import Params, read_params
from stages.evaluation.ground_truth import read_corrected
from stages.evaluation.label_issues import find_label_issues, near
from stages.evaluation.near_duplicates import ALIKE, find_near_duplicates
from stages.evaluation.out_of_fold import COMBINED, read_combined

FACES = Path("data/faces")


def check_same(file: Path, photos, known) -> None:
    """Raise UserError if a file has photos that are not `known`: it is from an earlier run."""
    if strange := sorted(set(photos) - set(known)):
        raise UserError(f"{file}: {strange[0]} is not in data/photos.csv any more; run dvc repro again")


def describe(rows: pd.DataFrame, labels: pd.DataFrame, given: pd.DataFrame, p: Params) -> str:
    """The printed counts of people and photos judged and suspected. rows: suspects; labels: of the judged photos."""
    judged = given[given.photo.isin(labels.photo)]
    people, everyone, found = judged.person.nunique(), given.person.nunique(), rows.attribute.value_counts()
    rest = ""
    if people < everyone and len(p.folds) == p.split.n_folds:
        rest = "; no photo of the others could be read"
    elif people < everyone:
        rest = f"; the models learnt from the others, and folds: {list(range(p.split.n_folds))} would judge everyone"
    lines = [f"judged: {people} of {everyone} people to train on, {len(judged)} photos{rest}"]
    for attribute in sorted(p.classes.attributes, key=lambda name: name not in OF_PERSON):  # people first, then photos
        of = "people" if attribute in OF_PERSON else "photos"
        lines.append(f"{attribute}: {found.get(attribute, 0)} {of} suspected")
        if attribute == AGE:
            borders = p.classes.borders
            years = years_of(labels[AGE])
            close = labels.photo[(years >= 0) & np.any([near(years, border) for border in borders], axis=0)]
            lines[-1] += (f"; {judged.person[judged.photo.isin(close)].nunique()} of all are so near "
                          f"{' or '.join(map(str, borders))} that they may be of either group")
    return "\n".join(lines)


def main():
    parser = Parser(prog="python -m tools.label_issues", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", metavar="FILE", default="reports/suspects.csv", help="default %(default)s")
    parser.add_argument("--twins", metavar="FILE", default="reports/twins.csv", help="default %(default)s")
    args = parser.parse_args()
    outs = {"--out": args.out, "--twins": args.twins}
    for option, file in outs.items():
        if not file.endswith(".csv") or Path(file).is_dir():
            raise UserError(f"{option}: {file}: name a file that ends in .csv")
    if len(set(map(Path, outs.values()))) < len(outs):
        raise UserError(f"--out and --twins: {args.out}: name two files")
    p = read_params()
    combined = read_combined(p.classes)
    if p.labels.corrections and Path(args.out).resolve() == Path(p.labels.corrections).resolve():
        raise UserError(f"--out: {args.out} is labels.corrections, and holds what you accepted; name another file")
    given, labels = read_csv("data/given.csv", ["photo", "person", *p.classes.attributes]), read_corrected(p)
    photos, faces = read_csv("data/photos.csv", ["photo", "person", "part"]), Faces(FACES)
    seen = combined.photo[combined.part == "train"]
    check_same(COMBINED, seen, set(given.photo) & set(labels.photo))
    check_same(FACES, faces.photos, photos.photo)

    rows = find_label_issues(combined, given, labels, p.classes)
    write_csv(rows, args.out)
    print(describe(rows, labels[labels.photo.isin(seen)], given, p), f"{args.out}: {len(rows)} rows", sep="\n")
    pairs = find_near_duplicates(faces, photos)
    write_csv(pairs, args.twins)
    evals = pairs.photo_b.isin(photos.photo[photos.part == "eval"]).sum()
    print(f"{args.twins}: {len(pairs)} pairs of correlation {ALIKE} or more, {evals} of them with a photo to label; "
          f"{len(faces)} photos were compared, {len(photos) - len(faces)} could not be read")


if __name__ == "__main__":
    run(main)
