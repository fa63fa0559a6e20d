"""A face is taken where MTCNN is sure of it, or a later look is; else the middle, whatever the photo's size."""
import numpy as np
import pytest

from labeller.faces import detector as finding
from labeller.faces.boxes import middle_box
from labeller.faces.detector import by_size, find_faces, row_of, sure
from stages.core.params import read_params
from tests.conftest import ROOT

P = read_params(ROOT / "params.yaml").detect


def faces(*boxes, votes=3) -> np.ndarray:
    """Boxes (x0, y0, x1, y1, score) as they are after the last NMS, with so many votes each."""
    return np.array([(*box, votes, *[0] * 10) for box in boxes], float).reshape(-1, 16)


class Fake:
    """A cascade that is sure of a face where a photo's first pixel is white, and of as many as its second says."""

    def empty(self, shape):
        return np.empty(shape, np.uint8)

    def candidates(self, photos, min_face, thresholds):
        boxes = [[(50 * i, 0, 50 * i + 30, 30, 0.9) for i in range(p[0, 1, 0] if p[0, 0, 0] else 0)] for p in photos]
        return [np.array([(*box, *[0] * 10) for box in each for _ in range(3)], float).reshape(-1, 15) for each in boxes]


def photo(count: int, easy: bool, height=60, width=80):
    out = np.zeros((height, width, 3), np.uint8)
    out[0, :2, 0] = 255 * easy, count
    return out


@pytest.fixture
def again(monkeypatch):
    """A second look that finds a face wherever the second pixel says so."""
    def look(photos, cascade, min_face, thresholds):
        boxes = [(5, 5, 25, 25, 3.0), (0, 0, 9, 9, -50)]
        return [np.array([(*box, *[0] * 10) for box in boxes[: 2 * p[0, 1, 0]]], float).reshape(-1, 15) for p in photos]
    monkeypatch.setattr(finding, "second_look", look)
    monkeypatch.setattr(finding, "padded_look", lambda photos, cascade, p: [np.zeros((0, 15))] * len(photos))


def test_the_padded_look_sees_only_photos_in_which_two_looks_found_nothing(again, monkeypatch):
    seen = []

    def look(photos, cascade, p):
        seen.append(len(photos))
        return [np.array([(-3, 2, 41, 33, 1.0, *[7] * 10)])] * len(photos)

    monkeypatch.setattr(finding, "padded_look", look)
    rows = find_faces([photo(1, True), photo(1, False), photo(0, False), photo(0, True)], Fake(), P)
    assert [row[0] for row in rows] == ["mtcnn", "lenient", "padded", "padded"]
    assert rows[2] == ("padded", -3, 2, 41, 33, "1.000", 1, *[7] * 10)
    find_faces([photo(1, True), photo(1, False)], Fake(), P)
    assert seen == [2]
    alone = P.model_copy(update={"second_look": False})
    assert [row[0] for row in find_faces([photo(0, False)], Fake(), alone)] == ["center"]


@pytest.mark.parametrize("easy, first", [(True, "mtcnn"), (False, "lenient")])
@pytest.mark.parametrize("evidence, chosen", [(2.0, False), (4.0, True)])
def test_a_face_that_fills_half_of_its_photo_gives_way_to_one_with_more_evidence(again, monkeypatch, easy, first, evidence,
                                                                                 chosen):
    """That of MTCNN, which has no evidence, to that of any later look."""
    def look(photos, cascade, p):
        return [np.array([(-5, -5, 35, 35, evidence, *[7] * 10)])] * len(photos)

    monkeypatch.setattr(finding, "padded_look", look)
    wide, tight = photo(1, easy), photo(1, easy, 20, 20)
    rows = find_faces([wide, tight], Fake(), P)
    assert [row[0] for row in rows] == [first, "padded" if chosen else "lenient"]
    monkeypatch.setattr(finding, "second_look", lambda photos, *_: [np.zeros((0, 15))] * len(photos))
    monkeypatch.setattr(finding, "padded_look", lambda photos, *_: [np.zeros((0, 15))] * len(photos))
    [row] = find_faces([tight], Fake(), P)
    assert row[0] == ("mtcnn" if easy else "center")  # what a look found is kept where the others find nothing


def test_a_face_is_looked_for_again_and_then_the_middle_taken(again):
    rows = find_faces([photo(1, True), photo(1, False), photo(0, False)], Fake(), P)
    assert [row[0] for row in rows] == ["mtcnn", "lenient", "center"]
    assert rows[1][:7] == ("lenient", 5, 5, 25, 25, "3.000", 1)  # what has too little evidence is none
    assert rows[2] == ("center", *middle_box(80, 60), "0.000", 0, *[""] * 10)


def test_without_the_second_look_the_middle_is_taken_at_once(again):
    alone = P.model_copy(update={"second_look": False})
    assert [row[0] for row in find_faces([photo(1, True), photo(1, False)], Fake(), alone)] == ["mtcnn", "center"]


def test_a_face_that_few_boxes_agree_on_is_not_sure():
    face = (0, 0, 30, 30, 0.99)
    assert len(sure(faces(face, votes=P.sure_votes), P, 120)) == 1
    assert len(sure(faces(face, votes=P.sure_votes - 1), P, 120)) == 0
    assert len(sure(faces(face, votes=1), P.model_copy(update={"second_look": False}), 120)) == 1


def test_a_small_face_alone_is_not_sure_and_beside_a_large_one_it_is():
    small, large = (0, 0, 3, 3, 0.99), (10, 0, 40, 30, 0.9)
    assert len(sure(faces(small), P, 120)) == 0
    assert len(sure(faces(small, large), P, 120)) == 2


def test_a_row_holds_the_subject_and_the_number_of_faces():
    two = np.array([(0, 0, 10, 10, 0.99, *[0] * 10), (15, 15, 45, 45.4, 0.8, *np.arange(20, 30, 0.9)[:10])])
    assert row_of("mtcnn", two, (90, 90)) == ("mtcnn", 15, 15, 45, 45, "0.800", 2, 20, 21, 22, 23, 24, 24, 25, 26, 27, 28)


def test_photos_of_several_sizes_keep_their_places(again):
    photos = [photo(1, True), photo(2, True, 50, 90), photo(3, True), photo(0, True, 50, 90)]
    assert by_size(photos) == [[0, 2], [1, 3]]
    assert [row[6] for row in find_faces(photos, Fake(), P.model_copy(update={"sure_share": 0}))] == [1, 2, 3, 0]


def test_a_large_photo_is_looked_at_in_a_smaller_size(monkeypatch):
    seen = []

    class Watched(Fake):
        def candidates(self, photos, min_face, thresholds):
            seen.append((*photos.shape[1:3], min_face))
            return super().candidates(photos, min_face, thresholds)

    for look in ("second_look", "padded_look"):
        monkeypatch.setattr(finding, look, lambda photos, *_: [np.zeros((0, 5))] * len(photos))
    large = np.zeros((5000, 6000, 3), np.uint8)
    large[:3, :3, 0], large[:3, 3:6, 0] = 255, 1  # pixels of the photo shrunk three times
    [row] = find_faces([large], Watched(), P.model_copy(update={"sure_share": 0}))
    assert row[:5] == ("mtcnn", 0, 0, 90, 90)  # in pixels of the photo as it is
    [(height, width, min_face)] = seen
    assert height * width <= finding.LARGE
    assert min_face == int((height * width) ** 0.5 / finding.SMALLEST)
