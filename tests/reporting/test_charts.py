"""The charts say what they are made of."""
import pandas as pd

from stages.core.classes import CONTEST
from stages.reporting.charts import draw_ages, draw_curves, draw_errors
from stages.reporting.theme import svg


def words(figure) -> str:
    return svg(figure, "a")


def test_learning_curves_name_each_model_and_each_fold_once():
    rows = [(f"{model}, fold {fold}", epoch, 0.5) for model in ("mask", "joint") for fold in (0, 1) for epoch in (1, 2)]
    text = words(draw_curves(pd.DataFrame(rows, columns=["series", "epoch", "f1"])))
    assert [text.count(f">{name}</text>") for name in ("mask", "joint", "fold 0", "fold 1")] == [1, 1, 1, 1]


def test_errors_are_counted_by_what_is_wrong_at_once():
    wrong = pd.DataFrame({"mask": [True, True, False], "gender": [False, False, False], "age": [True, False, False]})
    text = words(draw_errors(wrong))
    assert ">mask + age</text>" in text
    assert ">mask</text>" in text
    assert ">No photo has a wrong class.</text>" in words(draw_errors(wrong & False))


def test_ages_that_are_left_out_are_said_to_be():
    people = pd.DataFrame({"gender": ["male", "female", "male"], "age": [20, 40, 60]})
    assert ">left out</text>" in words(draw_ages(people, (30, 60), [(40, 45)], CONTEST))
    assert ">left out</text>" not in words(draw_ages(people, (30, 60), [], CONTEST))
