"""Charts take over the colors of the page, and are the same each time."""
import re

import matplotlib.pyplot as plt
import numpy as np

from stages.reporting.charts import draw_confusion
from stages.reporting.theme import COLORS, LIGHT, svg


def drawn(name: str) -> str:
    return svg(draw_confusion(np.array([[3, 1], [0, 2]]), ("male", "female"), "gender"), name)


def test_no_two_colors_are_the_same_for_they_are_told_apart_by_their_values():
    assert len(set(LIGHT.values())) == len(COLORS)


def test_every_color_of_a_chart_is_one_of_the_page():
    text = drawn("a")
    assert {"--gender", "--ink", "--soft", "--line"} <= set(re.findall(r"var\((--\w+)\)", text))
    assert re.findall(r"#[0-9a-f]{6}\b", text) == []


def test_a_picture_is_the_same_each_time_and_shares_no_id_with_another():
    def ids(name):
        return set(re.findall(r' id="([^"]+)"', drawn(name)))

    assert drawn("a") == drawn("a")
    assert ids("a")
    assert not ids("a") & ids("b")


def test_a_picture_is_an_element_with_text_and_is_closed():
    text = drawn("a")
    assert text.startswith("<svg")
    assert ">75%</text>" in text
    assert plt.get_fignums() == []
