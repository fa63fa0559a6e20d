"""Copies of a person under another name are found, and strangers are not."""
import cv2
import numpy as np
import pandas as pd
import pytest

from stages.core.face_store import Faces, write_faces
from stages.evaluation import near_duplicates
from stages.evaluation.near_duplicates import find_near_duplicates
from stages.synthetic.appearance import draw_look
from stages.synthetic.render import draw_photo


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    """(20, 3, 48, 48, 3) uint8, RGB: three photos of each of twenty people, masked, masked badly and bare."""
    out = []
    for person in range(20):
        rng = np.random.default_rng([5, person])
        look = draw_look(person % 2, 20 + 2 * person, rng)
        out.append([cv2.resize(draw_photo(look, mask, rng)[70:370, 42:342], (48, 48), interpolation=cv2.INTER_AREA)
                    for mask in range(3)])
    return np.array(out)


def album(drawn, folder, eval_names=("", "", "")) -> tuple[Faces, pd.DataFrame]:
    """The crops of the drawn people, of whom the last three are to be labelled, and their photos.csv."""
    names = [f"p{k:02d}" for k in range(17) for _ in range(3)] + [name for name in eval_names for _ in range(3)]
    photos = pd.DataFrame({"photo": [f"{k // 3:02d}-{k % 3}" for k in range(60)], "person": names,
                           "part": ["train"] * 51 + ["eval"] * 9})
    write_faces(folder, list(photos.photo), drawn.reshape(-1, 48, 48, 3), (48, 48))
    return Faces(folder), photos


def test_different_people_are_no_twins(drawn, tmp_path):
    assert find_near_duplicates(*album(drawn, tmp_path)).empty


@pytest.mark.parametrize("block", [512, 7])
def test_a_photo_copied_to_another_person_is_a_twin(drawn, tmp_path, monkeypatch, block):
    monkeypatch.setattr(near_duplicates, "BLOCK", block)
    drawn = drawn.copy()
    drawn[12, 0] = drawn[3, 2]  # two people of the training part
    drawn[3, 1] = drawn[12, 1]  # and once more: the same two are listed once
    drawn[18, 1] = np.clip(drawn[5, 1] * 0.8 + 12, 0, 255)  # in the part to label, and darker
    drawn[18, 2] = drawn[5, 2]
    pairs = find_near_duplicates(*album(drawn, tmp_path))
    assert [tuple(row)[:4] for row in pairs.sort_values("photo_a").itertuples(index=False)] == [
        ("03-1", "12-1", "p03", "p12"),  # of two equal pairs the first
        ("05-1", "18-1", "p05", ""), ("05-2", "18-2", "p05", "")]
    assert (pairs.correlation > 0.95).all() and pairs.correlation.is_monotonic_decreasing


def test_a_person_of_the_same_name_in_both_parts_is_no_twin(drawn, tmp_path):
    drawn = drawn.copy()
    drawn[17, 0], drawn[18, 0] = drawn[2, 0], drawn[2, 0]
    pairs = find_near_duplicates(*album(drawn, tmp_path, ("p02", "stranger", "")))
    assert [tuple(row)[:4] for row in pairs.itertuples(index=False)] == [("02-0", "18-0", "p02", "stranger")]


def test_crops_of_one_colour_are_nobodys_twins(drawn, tmp_path):
    drawn = drawn.copy()
    drawn[4, 0], drawn[9, 0], drawn[19, 0] = 7, 7, 200
    assert find_near_duplicates(*album(drawn, tmp_path)).empty


def test_a_single_photo_a_person_can_be_compared(drawn, tmp_path):
    drawn = drawn[:, 0].copy()
    drawn[19] = drawn[1]
    numbers = [str(k) for k in range(20)]
    photos = pd.DataFrame({"photo": numbers, "person": numbers, "part": "train"})
    write_faces(tmp_path, list(photos.photo), drawn, (48, 48))
    assert tuple(find_near_duplicates(Faces(tmp_path), photos).iloc[0, :2]) == ("1", "19")
