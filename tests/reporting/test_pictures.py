"""What is said beside the charts is true."""
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from labeller.service.answers import FaceAnswer
from stages.reporting.pictures import WAYS, attribute_picture, confused, confusion


def test_every_way_to_find_a_face_is_explained():
    assert {*WAYS, "given"} == {*get_args(FaceAnswer.model_fields["found"].annotation)}


def test_photos_are_counted_by_true_value_and_label():
    counts = confusion(pd.Series([0, 0, 1]), pd.Series([0, 2, 1]), 3)
    assert counts.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_the_most_frequent_mistakes_come_first_and_right_labels_never():
    pairs = confused(np.array([[9, 1, 0], [3, 0, 2], [0, 0, 0]]), ("a", "b", "c"), 2)
    assert [(pair["true"], pair["given"], pair["photos"]) for pair in pairs] == [("b", "a", 3), ("b", "c", 2)]
    assert pairs[0]["share"] == pytest.approx(0.6)


@pytest.mark.parametrize("given, said", [([0, 0, 1, 1], "male labelled female, 33% of its photos"),
                                         ([0, 0, 0, 1], "Every label is right")])
def test_a_confusion_names_its_most_frequent_mistake(given, said):
    scored = pd.DataFrame({"gender_true": [0, 0, 0, 1], "gender": given})
    assert said in attribute_picture("gender", ("male", "female"), scored)["note"]
