"""A bundle whose networks are not the trained ones is no bundle."""
from pathlib import Path

import pytest

from labeller import Labeller
from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.core.params import read_params
from stages.evaluation.out_of_fold import read_combined
from stages.exporting import parity


def test_probabilities_that_differ_are_named_with_the_model_and_by_how_much(exported, monkeypatch):
    monkeypatch.chdir(exported.root)
    labeller, faces = Labeller("bundle/model"), Faces(Path("data/faces"))
    assert parity.check_networks(labeller, faces, read_params()) < parity.MOST
    monkeypatch.setattr(parity, "MOST", -1)
    with pytest.raises(UserError, match=r"mask, fold 0: the exported network's probabilities differ by up to .*, more than -1"):
        parity.check_networks(labeller, faces, read_params())


def test_where_no_photo_is_to_be_labelled_held_out_ones_are_compared(exported, monkeypatch):
    monkeypatch.chdir(exported.root)
    labeller, faces, p = Labeller("bundle/model"), Faces(Path("data/faces")), read_params()
    combined = read_combined(p.classes)
    held_out = combined[combined.part == "train"]
    assert parity.check_labels(labeller, faces, combined, p) == f"the same labels on {sum(combined.part == 'eval')}"
    assert parity.check_labels(labeller, faces, held_out, p) == f"the same labels on {min(parity.CROPS, len(held_out))}"
    columns = [f"class_{i}" for i in range(p.classes.count)]
    turned = held_out.assign(**{name: held_out[other] for name, other in zip(columns, columns[::-1])})
    with pytest.raises(UserError, match=r"the bundle labels \S+ as class \d+ and the pipeline as \d+; run dvc"):
        parity.check_labels(labeller, faces, turned, p)


def test_labels_that_cannot_be_compared_are_told_with_the_reason(exported, monkeypatch):
    monkeypatch.chdir(exported.root)
    labeller, faces, p = Labeller("bundle/model"), Faces(Path("data/faces")), read_params()
    combined = read_combined(p.classes)
    held_out = combined[combined.part == "train"]
    assert parity.check_labels(labeller, faces, held_out, p.model_copy(update={"folds": [0, 1]})).endswith("all networks vote")
    by_person = p.model_copy(update={"combine": p.combine.model_copy(update={"by_person": True})})
    assert "combine.by_person" in parity.check_labels(labeller, faces, combined, by_person)
