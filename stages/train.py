"""Train one model on all folds but FOLD, which is held out. Run: python -m stages.train MODEL FOLD

Reads   data/faces/, data/photos.csv, data/folds.csv, data/labels/<model>.csv, data/extra/<model>.csv and the model's
        section of params.yaml
Writes  models/<model>/<fold>/   weights.safetensors; model.json: settings, this stage, and a hash of both files, by which
                                 a reader knows its model; live/ (dvclive: loss, F1 and lr by epoch)

The weights are those of the epoch with the highest macro F1 (or accuracy, or lowest loss: `best`) over the whole held-out
fold, by the official labels; moved age borders, dropped ages and pseudo labels change the training set, never the score.
When a killed training is run again, it resumes after its last finished epoch, and ends in the same bytes. A training that
diverges ends there, and keeps its best epoch.
"""
from pathlib import Path

from stages.core.command_line import arguments, run
from stages.core.errors import UserError
from stages.core.params import read_model
from stages.modeling.train_model import train_anywhere


def main():
    name, fold = arguments("MODEL", "FOLD")
    if not fold.isdecimal():
        raise UserError(f"{fold!r}: no fold; folds are counted from 0")
    params, p = read_model(name)
    train_anywhere(params.machine, p, name, int(fold), Path("models", name, fold))


if __name__ == "__main__":
    run(main)
