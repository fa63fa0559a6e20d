"""A person's photos agree on gender and age; each keeps its own mask."""
import numpy as np
import pytest

from labeller.voting.probabilities import joint
from stages.core.classes import CONTEST
from stages.voting.person_vote import sure_of_masks, vote_by_person


@pytest.fixture
def photos():
    rng = np.random.default_rng(0)
    mask, gender, age = (rng.dirichlet(np.ones(n), 21) for n in (3, 2, 3))
    return mask, joint(mask, gender, age), np.repeat(["a", "b", "c"], 7)


def test_gender_and_age_of_a_person_are_the_same_on_all_photos(photos):
    _, chances, people = photos
    voted = vote_by_person(chances, people, 6)
    np.testing.assert_allclose(voted.sum(1), 1)
    _, gender, age = CONTEST.decode(voted.argmax(1))
    for person in "abc":
        assert len({*zip(gender[people == person], age[people == person])}) == 1


def test_they_are_the_mean_over_the_photos_and_the_mask_is_the_photos_own(photos):
    mask, chances, people = photos
    voted = vote_by_person(chances, people, 6).reshape(-1, 3, 6)
    np.testing.assert_allclose(voted.sum(2), mask)
    np.testing.assert_allclose(voted.sum(1)[0], chances.reshape(-1, 3, 6).sum(1)[:7].mean(0))


def test_people_of_one_photo_keep_their_probabilities(photos):
    _, chances, _ = photos
    np.testing.assert_allclose(vote_by_person(chances, np.arange(len(chances)), 6), chances)


def test_a_photo_that_gives_a_cell_no_chance_takes_it_from_the_others():
    sure = np.zeros((2, 18))
    sure[0, 1] = sure[1, 6 + 2] = 1  # worn, cell 1; worn wrongly, cell 2
    voted = vote_by_person(sure, np.array(["a", "a"]), 6)
    np.testing.assert_allclose(voted.sum(1), 1)
    assert voted[0, [1, 2]].tolist() == [0.5, 0.5] and voted[1, [7, 8]].tolist() == [0.5, 0.5]


def test_a_photo_that_doubts_its_mask_has_the_gender_and_age_of_the_others():
    chances = np.zeros((2, 18))  # both photos say .55 for cell 1 and .45 for cell 2
    chances[0, [CONTEST.encode(0, 0, 1), CONTEST.encode(0, 0, 2)]] = 0.55, 0.45
    chances[1, [CONTEST.encode(0, 0, 1), CONTEST.encode(1, 0, 1), CONTEST.encode(0, 0, 2)]] = 0.30, 0.25, 0.45
    voted = vote_by_person(chances, np.array(["a", "a"]), 6)
    assert (voted.argmax(1) % 6).tolist() == [1, 2]
    assert (sure_of_masks(voted, 6).argmax(1) % 6).tolist() == [1, 1]


def test_sure_of_its_mask_a_photo_keeps_the_likeliest_mask_of_each_gender_and_age_group(photos):
    _, chances, _ = photos
    sure, before = (part.reshape(-1, 3, 6) for part in (sure_of_masks(chances, 6), chances))
    np.testing.assert_allclose(sure.sum(1), before.sum(1))
    assert (sure.argmax(1) == before.argmax(1)).all()
    assert ((sure > 0).sum(1) == 1).all()
    assert (sure_of_masks(np.full((1, 18), 1 / 18), 6).reshape(3, 6) > 0).sum() == 6  # of masks as likely, the first


def test_of_other_classes_all_but_gender_and_age_stays_the_photos_own():
    rng = np.random.default_rng(1)
    mask, glasses, gender, age = (rng.dirichlet(np.ones(n), 6) for n in (2, 2, 2, 4))
    people = np.repeat(["a", "b"], 3)
    voted = vote_by_person(joint(mask, glasses, gender, age), people, 8).reshape(6, 2, 2, 2, 4)
    np.testing.assert_allclose(voted.sum((2, 3, 4)), mask)
    np.testing.assert_allclose(voted.sum((1, 3, 4)), glasses)
    cells = np.einsum("ng,na->nga", gender, age)
    np.testing.assert_allclose(voted.sum((1, 2)), np.repeat([cells[:3].mean(0), cells[3:].mean(0)], 3, axis=0))
