"""A bundle whose networks are not the trained ones is no bundle."""
from pathlib import Path

import pytest

from labeller import Labeller
from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.core.params import read_params
from stages.exporting import parity


def test_probabilities_that_differ_are_named_with_the_model_and_by_how_much(exported, monkeypatch):
    monkeypatch.chdir(exported.root)
    labeller, faces = Labeller("bundle/model"), Faces(Path("data/faces"))
    assert parity.check_networks(labeller, faces, read_params()) < parity.MOST
    monkeypatch.setattr(parity, "MOST", -1)
    with pytest.raises(UserError, match=r"mask, fold 0: the exported network's probabilities differ by up to .*, more than -1"):
        parity.check_networks(labeller, faces, read_params())
