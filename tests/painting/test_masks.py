"""A painted mask covers what its label says, leaves the rest of the photo alone, and turns with the head."""
import numpy as np
import pytest

from stages.painting.masks import paint_mask
from stages.painting.pose import rotation
from stages.painting.sheets import KINDS
from tests.painting.faces import at, changed, drawn_faces

MOUTH, NOSTRILS, NOSE, CHEEK = (0, 1.03), (0, 0.72), (0, 0.6), (0.55, 0.95)


def painted(kind: str, wearing: str, face: int, seed: int = 0):
    photo, _, pose = drawn_faces()[face]
    return changed(photo, paint_mask(photo, pose, kind, wearing, np.random.default_rng([seed, face]))), pose


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("face", range(3))
def test_a_mask_worn_well_covers_mouth_and_nose(kind, face):
    changes, pose = painted(kind, "well", face)
    for place in (MOUTH, NOSTRILS, NOSE):
        assert at(changes, pose, *place) > 0.7, place


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("face", range(3))
def test_under_the_nose_the_mouth_is_covered_and_the_nostrils_are_seen(kind, face):
    changes, pose = painted(kind, "under_nose", face)
    assert at(changes, pose, *MOUTH) > 0.7
    assert at(changes, pose, *NOSTRILS, half=0.04) < 0.3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("face", range(3))
def test_on_the_chin_the_mouth_is_seen_and_the_chin_is_covered(kind, face):
    changes, pose = painted(kind, "on_chin", face)
    assert at(changes, pose, *MOUTH) < 0.3
    assert at(changes, pose, 0, 1.58) > 0.7


@pytest.mark.parametrize("face", range(3))
def test_a_hanging_mask_leaves_nose_and_mouth_bare_and_is_seen_at_one_side(face):
    changes, pose = painted("surgical", "hanging", face)
    assert at(changes, pose, *MOUTH) < 0.3 and at(changes, pose, *NOSTRILS) < 0.3
    assert (at(changes, pose, -1.0, 1.2, 0.2) > 0.4) != (at(changes, pose, 1.0, 1.2, 0.2) > 0.4)


@pytest.mark.parametrize("wearing", ["well", "under_nose", "on_chin"])
@pytest.mark.parametrize("seed", range(6))
def test_nothing_changes_far_from_the_lower_face(wearing, seed):
    changes, pose = painted(KINDS[seed % 4], wearing, seed % 3, seed)
    y, x = np.nonzero(changes)
    x, y = (x - pose.shift[0]) / pose.scale, (y - pose.shift[1]) / pose.scale
    assert np.abs(x).max() < 1.6 and y.min() > -0.9 and y.max() < 3.0
    assert at(changes, pose, -0.5, 0, 0.1) == at(changes, pose, 0.5, 0, 0.1) == 0


def test_a_turned_head_foreshortens_the_far_side():
    photo, _, pose = drawn_faces()[0]
    turned = pose._replace(rotation=rotation(0, np.deg2rad(40), 0), yaw=np.deg2rad(40), roll=0.0)
    widths = []
    for seed in range(4):
        changes = changed(photo, paint_mask(photo, turned, "surgical", "well", np.random.default_rng(seed)), 25)
        row = np.flatnonzero(changes[round(turned.shift[1] + turned.mouth * turned.scale)])
        middle = turned.to_photo(np.array([0, turned.mouth, 0.3]))[0]
        widths.append((middle - row.min(), row.max() - middle))
    left, right = np.mean(widths, axis=0)
    assert right < 0.6 * left


def test_another_seed_gives_another_mask_and_the_same_seed_the_same():
    photo, _, pose = drawn_faces()[0]
    one, again, other = (paint_mask(photo, pose, "cloth", "well", np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (one == again).all() and (one != other).any()


@pytest.mark.parametrize("size", [(40, 60), (1, 1), (200, 30)])
def test_a_face_that_leaves_the_photo_is_painted_as_far_as_it_is_seen(size):
    photo, _, pose = drawn_faces()[0]
    cut = photo[200:200 + size[0], 150:150 + size[1]]
    moved = pose._replace(shift=pose.shift - (150, 200))
    assert paint_mask(cut, moved, "surgical", "well", np.random.default_rng(1)).shape == cut.shape


def test_the_mask_is_as_dark_as_the_photo():
    photo, _, pose = drawn_faces()[0]
    dim = (photo * 0.3).astype(np.uint8)
    light, dark = (paint_mask(one, pose, "surgical", "well", np.random.default_rng(3)) for one in (photo, dim))
    y, x = np.rint(pose.shift + (0, pose.mouth * pose.scale)).astype(int)[::-1]
    assert dark[y - 5:y + 5, x - 5:x + 5].mean() < 0.75 * light[y - 5:y + 5, x - 5:x + 5].mean()
