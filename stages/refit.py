"""Retrain one model on all people, for the median of its folds' best epochs. Run: python -m stages.refit MODEL

Reads   models/<model>/<fold>/ of the listed folds, and what stages/train.py reads
Writes  models/refit/<model>/   as stages/train.py does, but without a score, since nothing is held out

The learning rate schedule ends where the training ends. The refitted model labels the photos to label instead of the
folds, as in reference system R4.
"""
from math import ceil
from pathlib import Path
from statistics import median

from stages.core.command_line import arguments, run
from stages.core.params import read_model
from stages.modeling.checkpoints import load_model
from stages.modeling.train_model import train_anywhere


def epochs_found(name: str, folds: list[int]) -> int:
    """The median of the folds' best epochs, rounded up."""
    return ceil(median(load_model(Path("models", name, str(fold)))[1]["best_epoch"] for fold in folds))


def main():
    [name] = arguments("MODEL")
    params, p = read_model(name)
    train_anywhere(params.machine, p, name, None, Path("models/refit", name), epochs_found(name, params.folds))


if __name__ == "__main__":
    run(main)
