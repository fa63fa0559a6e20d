"""The gallery shows the surest mistakes, and of each the network that made it."""
import base64
import io

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from stages.core.classes import CONTEST
from stages.core.params import parse
from stages.reporting.gallery import PIXELS, as_jpeg, heated, mistakes, output_of, true_name, voter
from tests.conftest import ROOT


@pytest.fixture
def scored():
    """Photos a (right), b (age wrong, very sure), c (gender and age wrong, sure of gender), d (mask wrong, unsure)."""
    true = np.array([0, 0, 0, 0])
    guess = np.array([0, CONTEST.encode(0, 0, 2), CONTEST.encode(0, 1, 1), CONTEST.encode(2, 0, 0)])
    chances = np.full((4, 18), 0.01)
    chances[np.arange(4), guess] = [0.9, 0.8, 0.5, 0.3]
    chances[2, CONTEST.encode(0, 1, 0)] = 0.3  # female, too, but of another age
    table = pd.DataFrame(chances, columns=[f"class_{i}" for i in range(18)])
    table = table.assign(photo=list("abcd"), **{"class": guess, "class_true": true})
    for side, classes in (("", guess), ("_true", true)):
        for attribute, values in zip(CONTEST.attributes, CONTEST.decode(classes)):
            table[f"{attribute}{side}"] = values
    return table


def test_the_surest_mistakes_come_first_and_right_labels_never(scored):
    assert list(mistakes(scored, 10, CONTEST).photo) == ["b", "c", "d"]
    assert list(mistakes(scored, 2, CONTEST).photo) == ["b", "c"]
    assert mistakes(scored, 10, CONTEST).confidence.is_monotonic_decreasing


def test_a_mistake_is_put_down_to_the_wrong_attribute_that_was_surest(scored):
    found = mistakes(scored, 10, CONTEST)
    assert dict(zip(found.photo, found.attribute)) == {"b": "age", "c": "gender", "d": "mask"}


@pytest.mark.parametrize("heads, attribute, output", [
    ((3,), "age", 2), ((2,), "gender", 1), ((18,), "age", 5), ((3, 2, 3), "mask", 0), ((3, 2, 3), "gender", 3 + 1),
    ((3, 2, 3), "age", 3 + 2 + 2),
])
def test_the_output_that_is_looked_at_is_that_of_the_label_given(heads, attribute, output):
    assert output_of({"attribute": attribute, "mask": 0, "gender": 1, "age": 2, "class": 5}, heads, CONTEST) == output


@pytest.mark.parametrize("models, weights, asked", [
    (["mask", "gender", "age"], {}, "age"),
    (["joint", "mask", "gender", "age", "age2"], {"age": 0}, "age2"),
    (["mask", "gender", "age", "joint"], {"specialists": 0}, "joint"),
])
def test_a_network_is_asked_that_has_a_vote(models, weights, asked):
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values |= {"age2": values["age"], "models": models, "combine": values["combine"] | {"weights": weights}}
    values["predict"]["age2"] = values["predict"]["age"]
    assert voter("age", parse(values)) == asked


def test_heat_changes_a_crop_where_it_is_and_nowhere_else():
    crop, heat = np.full((64, 48, 3), 100, np.uint8), np.zeros((8, 6))
    heat[:2] = 1
    out = heated(crop, heat)
    assert out.shape == crop.shape
    assert (out[40:] == 100).all()
    assert (out[:8] != 100).any()


def test_a_picture_is_part_of_the_page_in_its_shape_and_colours():
    kind, content = as_jpeg(np.full((200, 100, 3), (200, 100, 30), np.uint8)).split(",")
    assert kind == "data:image/jpeg;base64"
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
    assert picture.shape == (PIXELS, PIXELS // 2, 3)
    assert picture.mean((0, 1)) == pytest.approx([200, 100, 30], abs=5)


def test_a_photo_with_some_labels_is_a_mistake_where_they_are_wrong(scored):
    partly = scored.assign(gender_true=[0, -1, -1, 0], class_true=[0, -1, -1, 0])
    found = mistakes(partly, 10, CONTEST).set_index("photo")
    assert found.attribute.to_dict() == {"b": "age", "c": "age", "d": "mask"}
    assert true_name(found.loc["b"].to_dict(), CONTEST) == "worn_?_under30"
    assert true_name(found.loc["d"].to_dict(), CONTEST) == "worn_male_under30"
