"""Of several faces, that of the person whom the photo is about."""
import numpy as np

from labeller.faces.selection import main_face, overlaps, without_nested

PERSON = (100, 100, 300, 300, 0.8)
POSTER = (310, 20, 380, 100, 1.0)


def of(*faces):
    return tuple(main_face(np.array(faces, float).reshape(-1, 5)))


def test_a_poster_in_the_background_does_not_win_however_clear_its_face():
    assert of(POSTER, PERSON) == PERSON
    assert of(PERSON, POSTER) == PERSON


def test_a_larger_box_around_a_face_does_not_win_over_the_face():
    around = (20, 20, 380, 380, 0.7)
    assert of(around, PERSON) == PERSON


def test_a_part_of_a_face_does_not_win_over_the_face():
    assert of((150, 120, 200, 170, 0.7), PERSON) == PERSON


def test_a_poster_beside_a_box_around_person_and_poster_does_not_win():
    assert of((0, 0, 400, 400, 0.1), POSTER, PERSON) == PERSON


def test_without_faces_there_is_no_subject():
    assert main_face(np.zeros((0, 5))) is None


def test_a_box_within_a_better_one_goes_and_those_that_agree_are_counted():
    boxes = np.array([(0, 0, 99, 99, 0.8), (0, 0, 99, 89, 0.9), (10, 10, 30, 30, 0.7), (200, 0, 299, 99, 0.6)])
    kept = without_nested(boxes)
    assert kept[:, 4].tolist() == [0.9, 0.6]
    assert kept[:, 5].tolist() == [2, 1]


def test_overlaps_are_shares_of_both_and_of_the_smaller():
    both, smaller = overlaps(np.array([0, 0, 9, 9]), np.array([(0, 0, 9, 4), (20, 20, 30, 30)]))
    assert both.tolist() == [0.5, 0]
    assert smaller.tolist() == [1, 0]
