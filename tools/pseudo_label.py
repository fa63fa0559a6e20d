"""Make pseudo labels from an earlier experiment's confident predictions for the eval part.

    python -m tools.pseudo_label EXPERIMENT MODEL [--confidence 0.9]

EXPERIMENT is an experiment, commit, branch, tag, or `workspace`; MODEL is a section of params.yaml. Writes
data/pseudo/EXPERIMENT-MODEL.csv (photo,label,confidence) for MODEL.pseudo: the model then also trains on these photos,
and is never scored by them. Lee, "Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method for Deep Neural
Networks", 2013.
"""
import argparse

import numpy as np
import pandas as pd

from labeller.parser import Parser
from stages.core.classes import Classes
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.files import write_csv
from stages.core.model_params import PSEUDO, Model
from stages.core.params import FILE, read_params
from stages.core.yaml_file import load
from stages.evaluation.breakdown import joint_of, marginals
from stages.evaluation.out_of_fold import COMBINED, of_combined
from stages.evaluation.tables import check_predictions, parse_table
from tools.shared.revisions import read_at


def read_combined(revision: str, classes: Classes) -> pd.DataFrame:
    """data/combined.parquet of a revision; raises UserError if it is damaged or has not the probabilities of these classes."""
    texts, columns, numbers = of_combined(classes)
    try:
        table = parse_table(read_at(revision, COMBINED), ".parquet", ["photo", *texts], [*columns, *numbers])
        if (found := sum(column.startswith("class_") for column in table)) != classes.count:
            raise ValueError(f"it has {found} columns class_0, class_1, ..., and params.yaml {classes.count} classes")
        check_predictions(table, columns, numbers)
    except ValueError as error:
        raise UserError(f"{revision}: its {COMBINED}: {error}; run that experiment again") from None
    return table


def trained_on_everyone(revision: str) -> bool:
    """Whether the experiment's models that predict the eval part were, between them, trained on everyone."""
    params = load(read_at(revision, str(FILE)))
    return len(params["folds"]) > 1 or bool(params["refit"])


def confident_labels(combined: pd.DataFrame, p: Model, classes: Classes, confidence: float) -> pd.DataFrame:
    """photo,label,confidence of the eval photos whose likeliest class, among those of `p`, has at least this confidence:
    the lowest probability of its attributes. The product of three, as a joint class has, is low for nearly all photos.
    """
    evals = combined[combined.part == "eval"]
    others = tuple(axis for axis, attribute in enumerate(classes.attributes, 1) if attribute not in p.attributes)
    probabilities = joint_of(evals, classes).reshape(-1, *classes.sizes).sum(others)
    chosen = probabilities.reshape(len(evals), -1).argmax(1)
    values = np.unravel_index(chosen, probabilities.shape[1:])
    rows = np.arange(len(evals))
    sure = np.min([marginals(evals, attribute, classes)[rows, value] for attribute, value in zip(p.attributes, values)], axis=0)
    labels = pd.DataFrame({"photo": evals.photo, "label": np.array(p.classes.names)[chosen], "confidence": sure.round(4)})
    return labels[sure >= confidence]


def main():
    parser = Parser(prog="python -m tools.pseudo_label", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", metavar="EXPERIMENT")
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--confidence", type=float, default=0.9, help="from 0 to 1; default %(default)s")
    args = parser.parse_args()
    params = read_params()
    sections = params.sections
    if args.model not in sections:
        raise UserError(f"{FILE}: {args.model!r} is no model's section; there are {', '.join(sections)}")
    if not 0 <= args.confidence <= 1:
        raise UserError(f"--confidence: {args.confidence} is not between 0 and 1")
    combined = read_combined(args.experiment, params.classes)
    if trained_on_everyone(args.experiment):
        print(f"{args.experiment} has several folds, or a refit: its models learnt from the people of the held-out fold, so "
              "their labels flatter the score of a model trained on them; take an experiment of the same single fold")
    labels = confident_labels(combined, sections[args.model], params.classes, args.confidence)
    out = PSEUDO / f"{args.experiment.replace('/', '-')}-{args.model}.csv"
    write_csv(labels, out)
    counts = labels.label.value_counts()
    print(f"{out}: {len(labels)} of {(combined.part == 'eval').sum()} photos; "
          + ", ".join(f"{name} {counts.get(name, 0)}" for name in sections[args.model].classes.names))


if __name__ == "__main__":
    run(main)
