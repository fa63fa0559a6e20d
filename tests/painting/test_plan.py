"""What is painted on a photo depends on the seed and the photo alone, and is seen in it."""
from types import SimpleNamespace

import pandas as pd
import pytest

from stages.painting.plan import in_view, paintings, to_paint
from tests.painting.faces import drawn_faces

P = SimpleNamespace(worn=3, incorrect=2, bare=2, distractors=0.5)


def test_the_same_photo_and_seed_give_the_same_plan_and_others_another():
    plans = [paintings(photo, P, seed) for photo, seed in (("a", 1), ("a", 1), ("b", 1), ("a", 2))]
    assert plans[0] == plans[1] and plans[0] != plans[2] and plans[0] != plans[3]
    assert [mask for mask, _, _ in plans[0]] == ["worn"] * 3 + ["incorrect"] * 2 + ["bare"] * 2


@pytest.mark.parametrize(("share", "kept"), [(0.0, True), (1.0, False)])
def test_distractors_is_the_share_of_bare_copies_that_have_one(share, kept):
    p = SimpleNamespace(worn=0, incorrect=0, bare=4, distractors=share)
    assert all((wearing == "none") == kept for _, wearing, _ in paintings("a", p, 1))


def test_every_kind_and_wearing_comes_up():
    made = [one for i in range(200) for one in paintings(str(i), P, 1)]
    assert {kind for _, _, kind in made} == {"surgical", "folded", "cloth", "respirator", ""}
    assert {wearing for _, wearing, _ in made} == {"well", "under_nose", "on_chin", "hanging", "none", "hand", "scarf", "phone",
                                                   "cup", "microphone"}


def test_what_a_tight_crop_cuts_off_is_worn_otherwise():
    photo, _, pose = drawn_faces()[0]
    assert in_view("hanging", pose, photo.shape) == "hanging"
    x, y = pose.shift + pose.scale * 1.45  # at the cheek, above the chin
    assert in_view("on_chin", pose, (int(y), int(x))) == "under_nose"
    y = pose.shift[1] + pose.scale * 2.2
    assert in_view("hanging", pose, (int(y), int(pose.shift[0] + 0.9 * pose.scale))) == "on_chin"


def rows(masks: list[str], parts: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"mask": masks, "part": parts})


def test_missing_labels_count_as_bare_only_where_no_photo_to_train_on_has_one():
    assert to_paint(rows(["", ""], ["train", "eval"]))[0].tolist() == [True, False]
    assert to_paint(rows(["", "bare", "worn"], ["train"] * 3))[0].tolist() == [False, True, False]
    assert to_paint(rows(["", "worn"], ["train"] * 2))[0].tolist() == [False, False]
