"""Every photo gets a row, whatever is on it or wrong with it."""
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from stages.detect import CONTEST_PIXELS, batches, by_size, detect, find_faces, largest
from stages.lib.boxes import middle_box
from stages.lib.errors import UserError
from stages.lib.params import Detect

CPU = torch.device("cpu")
P = Detect(min_face=60, thresholds=(0.6, 0.7, 0.7), lenient_min_face=40, lenient_thresholds=(0.5, 0.4, 0.4), max_bad=1)


class Fake:
    """A cascade that finds in a photo as many faces as its first pixel says, once thresholds are low enough."""

    def __call__(self, photos, min_face, thresholds):
        strict = thresholds == P.thresholds
        return [np.array([(0, 0, 10 * (i + 1), 10, 0.9) for i in range(p[0, 0, 0] if not strict or p[0, 0, 1] else 0)])
                for p in photos.numpy()]


def photo(faces: int, easy: bool, height=30, width=40):
    out = np.zeros((height, width, 3), np.uint8)
    out[0, 0] = faces, easy, 0
    return out


def test_a_face_is_looked_for_twice_and_then_the_middle_taken():
    rows = find_faces([photo(1, True), photo(1, False), photo(0, False)], Fake(), P)
    assert [row[0] for row in rows] == ["mtcnn", "lenient", "center"]
    assert rows[2][1:5] == middle_box(40, 30)
    assert rows[2][-1] == 0


def test_photos_of_several_sizes_keep_their_places():
    photos = [photo(1, True), photo(2, True, 50, 60), photo(3, True), photo(0, True, 50, 60)]
    assert by_size(photos) == [[0, 2], [1, 3]]
    assert [row[-1] for row in find_faces(photos, Fake(), P)] == [1, 2, 3, 0]


def test_a_batch_is_bounded_by_photos_and_by_pixels():
    small, large = np.zeros((384, 512, 3), np.uint8), np.zeros((3 * 384, 512, 3), np.uint8)
    sizes = [[image.shape[0] * image.shape[1] for _, image in batch] for batch in
             batches(range(7), [small, small, small, large, large, small, large], 3)]
    assert [len(batch) for batch in sizes] == [3, 1, 1, 2]
    assert all(sum(batch[:-1]) < 3 * CONTEST_PIXELS for batch in sizes)


def test_of_several_faces_the_largest_counts_and_their_number_is_kept():
    assert largest(np.array([(0, 0, 10, 10, 0.99), (5, 5, 45, 45.4, 0.8)]), "mtcnn") == ("mtcnn", 5, 5, 45, 45, "0.800", 2)


def table(tmp_path, parts: list[str], broken: set[int]):
    for i in range(len(parts)):
        Image.new("RGB", (64, 64)).save(tmp_path / f"{i}.png")
    for i in broken:
        (tmp_path / f"{i}.png").write_text("broken")
    return pd.DataFrame({"photo": [f"{i}.png" for i in range(len(parts))], "part": parts})


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_a_photo_that_cannot_be_decoded_has_a_row_that_says_why(tmp_path, batch):
    photos = table(tmp_path, ["train", "train", "eval", "eval"], {1, 2})
    boxes = detect(photos, tmp_path, P, CPU, 1, batch)
    assert list(boxes.photo) == list(photos.photo)
    assert list(boxes.found) == ["center", "unreadable", "unreadable", "center"]
    assert list(boxes.reason) == ["", "not an image", "not an image", ""]


def test_too_many_broken_photos_to_train_on_stop_the_run(tmp_path):
    with pytest.raises(UserError, match=r"2 photos to train on cannot be decoded.*detect.max_bad, 1"):
        detect(table(tmp_path, ["train"] * 4, {0, 3}), tmp_path, P, CPU, 0, 2)


def test_broken_photos_to_label_never_stop_it(tmp_path):
    boxes = detect(table(tmp_path, ["eval"] * 4, {0, 1, 3}), tmp_path, P, CPU, 0, 2)
    assert (boxes.found == "unreadable").sum() == 3
