"""A person's photos agree on gender and age; each keeps its own mask."""
import numpy as np
import pytest

from labeller.voting.probabilities import joint
from stages.core.classes import cell_of, decode, encode
from stages.voting.person_vote import sure_of_masks, vote_by_person


@pytest.fixture
def photos():
    rng = np.random.default_rng(0)
    mask, gender, age = (rng.dirichlet(np.ones(n), 21) for n in (3, 2, 3))
    return mask, joint(mask, gender, age), np.repeat(["a", "b", "c"], 7)


def test_gender_and_age_of_a_person_are_the_same_on_all_photos(photos):
    _, chances, people = photos
    voted = vote_by_person(chances, people)
    np.testing.assert_allclose(voted.sum(1), 1)
    _, gender, age = decode(voted.argmax(1))
    for person in "abc":
        assert len({*zip(gender[people == person], age[people == person])}) == 1


def test_they_are_the_mean_over_the_photos_and_the_mask_is_the_photos_own(photos):
    mask, chances, people = photos
    voted = vote_by_person(chances, people).reshape(-1, 3, 6)
    np.testing.assert_allclose(voted.sum(2), mask)
    np.testing.assert_allclose(voted.sum(1)[0], chances.reshape(-1, 3, 6).sum(1)[:7].mean(0))


def test_people_of_one_photo_keep_their_probabilities(photos):
    _, chances, _ = photos
    np.testing.assert_allclose(vote_by_person(chances, np.arange(len(chances))), chances)


def test_a_photo_that_gives_a_cell_no_chance_takes_it_from_the_others():
    sure = np.zeros((2, 18))
    sure[0, 1] = sure[1, 6 + 2] = 1  # worn, cell 1; worn wrongly, cell 2
    voted = vote_by_person(sure, np.array(["a", "a"]))
    np.testing.assert_allclose(voted.sum(1), 1)
    assert voted[0, [1, 2]].tolist() == [0.5, 0.5] and voted[1, [7, 8]].tolist() == [0.5, 0.5]


def test_a_photo_that_doubts_its_mask_has_the_gender_and_age_of_the_others():
    chances = np.zeros((2, 18))  # both photos say .55 for cell 1 and .45 for cell 2
    chances[0, [encode(0, 0, 1), encode(0, 0, 2)]] = 0.55, 0.45
    chances[1, [encode(0, 0, 1), encode(1, 0, 1), encode(0, 0, 2)]] = 0.30, 0.25, 0.45
    voted = vote_by_person(chances, np.array(["a", "a"]))
    assert cell_of(voted.argmax(1)).tolist() == [1, 2]
    assert cell_of(sure_of_masks(voted).argmax(1)).tolist() == [1, 1]


def test_sure_of_its_mask_a_photo_keeps_the_likeliest_mask_of_each_gender_and_age_group(photos):
    _, chances, _ = photos
    sure, before = (part.reshape(-1, 3, 6) for part in (sure_of_masks(chances), chances))
    np.testing.assert_allclose(sure.sum(1), before.sum(1))
    assert (sure.argmax(1) == before.argmax(1)).all()
    assert ((sure > 0).sum(1) == 1).all()
    assert (sure_of_masks(np.full((1, 18), 1 / 18)).reshape(3, 6) > 0).sum() == 6  # of masks as likely, the first
