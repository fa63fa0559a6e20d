"""What is held before a bare face is drawn near the mouth, and is no mask."""
import numpy as np
import pytest

from stages.painting.distractors import NAMES, paint_distractor
from tests.painting.faces import at, changed, drawn_faces


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_a_distractor_is_seen_and_leaves_the_eyes_alone(name, seed):
    photo, _, pose = drawn_faces()[seed % 3]
    changes = changed(photo, paint_distractor(photo, pose, name, np.random.default_rng(seed)))
    assert changes.mean() > 0.01
    assert at(changes, pose, -0.5, 0) == at(changes, pose, 0.5, 0) == 0


@pytest.mark.parametrize("seed", range(4))
def test_a_scarf_leaves_the_mouth_bare(seed):
    photo, _, pose = drawn_faces()[seed % 3]
    assert at(changed(photo, paint_distractor(photo, pose, "scarf", np.random.default_rng(seed))), pose, 0, 1.03) < 0.1
