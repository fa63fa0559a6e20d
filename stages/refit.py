"""Train one model once more, on everyone, for the epochs that its folds found. Run: python -m stages.refit MODEL

Reads   models/<model>/<fold>/model.json of the listed folds, and what stages/train.py reads
Writes  models/refit/<model>/   as stages/train.py does; there is nobody left to score it by

The number of epochs is the median of the folds' best ones, and the schedule is theirs, stopped there: the rates are the
ones at which the best epoch was found. It labels the photos to label in the folds' stead, as reference system R4's.
"""
import json
from math import ceil
from pathlib import Path
from statistics import median

from stages.core.command_line import arguments, run
from stages.core.params import read_model
from stages.modeling.training_run import train_model


def epochs_found(name: str, folds: list[int]) -> int:
    """The median of the folds' best epochs; of an even number of folds the upper half."""
    return ceil(median(json.loads(Path("models", name, str(fold), "model.json").read_text())["best_epoch"] for fold in folds))


def main():
    [name] = arguments("MODEL")
    params, _ = read_model(name)
    train_model(name, None, Path("models/refit", name), epochs_found(name, params.folds))


if __name__ == "__main__":
    run(main)
