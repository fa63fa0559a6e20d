"""The fit of a head finds how it is turned, and says of which faces it cannot be known."""
import numpy as np
import pytest

from stages.painting.pose import MEAN, fit, landmarks, why_not


def seen(yaw=0.0, pitch=0.0, roll=0.0, scale=60.0) -> np.ndarray:
    """The landmarks (5, 2) of an average head that is turned so, in degrees."""
    values = MEAN.copy()
    values[:6] = np.log(scale), *np.deg2rad((roll, yaw, pitch)), 200, 150
    return landmarks(values).reshape(5, 2)


@pytest.mark.parametrize("yaw", [-45, -20, 0, 20, 45])
def test_the_fit_turns_with_the_head(yaw):
    assert np.rad2deg(fit(seen(yaw)).yaw) == pytest.approx(yaw, abs=6)


@pytest.mark.parametrize("roll", [-40, 0, 25])
def test_the_fit_tilts_with_the_head_and_knows_its_size(roll):
    pose = fit(seen(roll=roll, scale=35))
    assert np.rad2deg(pose.roll) == pytest.approx(roll, abs=2)
    assert pose.scale == pytest.approx(35, rel=0.03) and pose.shift == pytest.approx((200, 150), abs=1)


def test_a_head_that_nods_is_seen_to():
    assert fit(seen(pitch=-25)).pitch < -0.1 < 0.1 < fit(seen(pitch=25)).pitch


def test_a_mirrored_face_has_the_mirrored_pose():
    points = seen(25, 5, 10) + np.random.default_rng(1).normal(0, 1, (5, 2))
    mirrored = (points * (-1, 1))[[1, 0, 2, 4, 3]]
    one, other = fit(points), fit(mirrored)
    assert (one.yaw, one.roll) == pytest.approx((-other.yaw, -other.roll), abs=1e-3)
    assert (one.pitch, one.scale) == pytest.approx((other.pitch, other.scale), rel=1e-3)


def test_the_landmarks_of_a_fitted_head_lie_where_they_were_seen():
    pose = fit(points := seen(15, 4, -8))
    assert pose.error < 0.03
    assert pose.to_photo(np.array([-0.5, 0, 0]))[:2] == pytest.approx(points[0], abs=3)


@pytest.mark.parametrize(("points", "reason"), [
    (seen(scale=10), "its eyes are closer than 12 pixels"), (seen(75), "it is turned too far"), (seen(), ""), (seen(35), ""),
    (seen() + 60 * np.eye(5, 2), "its landmarks fit no face"),
])
def test_a_small_a_turned_and_a_broken_face_are_refused_with_the_reason(points, reason):
    assert why_not(fit(points)) == reason
