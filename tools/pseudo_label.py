"""Make pseudo labels of an earlier experiment's labels of the eval part, where it was sure of them.

    python -m tools.pseudo_label EXPERIMENT MODEL [--confidence 0.9]

EXPERIMENT is the name of an experiment, a commit, branch or tag, or `workspace`; MODEL is a section of params.yaml. The
file data/pseudo/EXPERIMENT-MODEL.csv (photo,label,confidence) is for MODEL.pseudo: the model then learns these photos
beside its own, and never is scored by them. Lee, "Pseudo-Label: The Simple and Efficient Semi-Supervised Learning
Method for Deep Neural Networks", 2013.
"""
import argparse
import io

import numpy as np
import pandas as pd

from stages.core.classes import ATTRIBUTES, CLASSES, VALUES
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.files import write_csv
from stages.core.model_params import PSEUDO, Model
from stages.core.params import FILE, read_params
from stages.core.yaml_file import load
from tools.experiments.revisions import read_at

COMBINED = "data/combined.parquet"


def read_combined(revision: str) -> pd.DataFrame:
    """data/combined.parquet of a revision; see tools/experiments/revisions.py."""
    table = pd.read_parquet(io.BytesIO(read_at(revision, COMBINED)))
    if "class_0" not in table:
        raise UserError(f"{revision}: its {COMBINED} has no columns class_0 to class_17; run that experiment again")
    return table


def learnt_from_all(revision: str) -> bool:
    """Whether models of an experiment that label the eval part learnt from everyone, between them."""
    params = load(read_at(revision, str(FILE)))
    return len(params["folds"]) > 1 or bool(params["refit"])


def sure_labels(combined: pd.DataFrame, p: Model, confidence: float) -> pd.DataFrame:
    """photo,label,confidence of the eval photos whose likeliest class, of what `p` learns, is at least so likely."""
    evals = combined[combined.part == "eval"]
    chances = evals[[f"class_{i}" for i in range(len(CLASSES))]].to_numpy().reshape(-1, *map(len, VALUES.values()))
    others = tuple(axis for axis, attribute in enumerate(ATTRIBUTES, 1) if attribute not in p.attributes)
    chances = chances.sum(others).reshape(len(evals), -1)
    labels = pd.DataFrame({"photo": evals.photo, "label": np.array(p.class_names)[chances.argmax(1)],
                           "confidence": chances.max(1).round(4)})
    return labels[chances.max(1) >= confidence]


def main():
    parser = argparse.ArgumentParser(prog="python -m tools.pseudo_label", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", metavar="EXPERIMENT")
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--confidence", type=float, default=0.9, help="from 0 to 1; default %(default)s")
    asked = parser.parse_args()
    sections = read_params().sections
    if asked.model not in sections:
        raise UserError(f"{FILE}: {asked.model!r} is no model's section; there are {', '.join(sections)}")
    if not 0 <= asked.confidence <= 1:
        raise UserError(f"--confidence: {asked.confidence} is not between 0 and 1")
    combined = read_combined(asked.experiment)
    if learnt_from_all(asked.experiment):
        print(f"{asked.experiment} has several folds, or a refit: its models learnt from the people by whom a model that "
              "learns these labels is scored, which flatters it; an experiment of one fold, and the same, does not")
    labels = sure_labels(combined, sections[asked.model], asked.confidence)
    out = PSEUDO / f"{asked.experiment.replace('/', '-')}-{asked.model}.csv"
    write_csv(labels, out)
    counts = labels.label.value_counts()
    print(f"{out}: {len(labels)} of {(combined.part == 'eval').sum()} photos; "
          + ", ".join(f"{name} {counts.get(name, 0)}" for name in sections[asked.model].class_names))


if __name__ == "__main__":
    run(main)
