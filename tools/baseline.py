"""Baselines on the same held-out people as the models. Run after dvc repro: python -m tools.baseline

Prints macro F1 and accuracy of always the commonest class, of a logistic regression for each attribute on 8x8 thumbnails
of the same crops, and of the pipeline's own labels (data/combined.parquet).
"""
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.core.metrics import CLASS, scores, with_values
from stages.core.params import Params, read_params
from stages.evaluation.ground_truth import read_truth
from stages.evaluation.out_of_fold import read_combined

SIDE = 8


def thumbnails(faces: Faces) -> np.ndarray:
    """Thumbnails of all crops: (N, SIDE * SIDE * 3) float, 0 to 255."""
    small = [cv2.resize(faces[row], (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel() for row in range(len(faces))]
    return np.stack(small).astype(float)


def regression(train: np.ndarray, classes: pd.Series, test: np.ndarray) -> np.ndarray:
    """Classes (M,) of `test` (M, F) by a logistic regression fitted to `train` (N, F) and its classes (N,)."""
    if len(set(classes)) == 1:
        return np.full(len(test), classes.iloc[0])
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(train, classes).predict(test)


def baselines(p: Params) -> dict[str, dict]:
    """Scores by method, on the people whom the listed models have not seen."""
    faces, combined = Faces(Path("data/faces")), read_combined(p.classes).set_index("photo")
    truth = read_truth(p)
    truth = truth[truth[CLASS] >= 0]
    if truth.empty:
        raise UserError(f"data/labels: no photo has labels of all of {', '.join(p.classes.attributes)}; nothing to score")
    truth = truth.loc[[photo for photo in faces.photos if photo in truth.index]]
    pixels = thumbnails(faces)[[row for row, photo in enumerate(faces.photos) if photo in truth.index]]
    held_out = truth.index.isin(combined.index)
    if held_out.all():
        raise UserError("params.yaml: folds: all are trained, so nobody is left to learn from; train fewer")
    train, test = truth[~held_out], truth[held_out]
    guess = {a: regression(pixels[~held_out], train[a], pixels[held_out]) for a in p.classes.attributes}
    answers = {
        "commonest class": np.full(len(test), train[CLASS].mode()[0]),
        f"logistic regression, {SIDE}x{SIDE}": p.classes.encode(*guess.values()),
        "this pipeline": combined[CLASS].loc[test.index].to_numpy(),
    }
    return {name: scores(test, with_values(numbers, p.classes), p.classes) for name, numbers in answers.items()}


def main():
    p = read_params()
    attributes, rows = p.classes.attributes, baselines(p)
    print("| labels by | macro F1 | accuracy | " + " | ".join(f"{a} F1" for a in attributes) + " |")
    print("|---" * (3 + len(attributes)) + "|")
    for name, row in rows.items():
        print(f"| {name} | {row['f1']:.3f} | {row['accuracy']:.3f} | "
              + " | ".join(f"{row[a]['f1']:.3f}" for a in attributes) + " |")


if __name__ == "__main__":
    run(main, words=False)
