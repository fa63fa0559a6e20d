"""A bundle of 8 bits labels nearly as before, in less space, and is refused where it loses too much."""
import json
from types import SimpleNamespace

import numpy as np
import onnx
import pandas as pd
import pytest

from labeller import Labeller
from stages import export
from stages.core.classes import CONTEST
from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.exporting import int8


@pytest.fixture
def project(exported, tmp_path, monkeypatch):
    """A copy of the exported project as the working folder."""
    copy = exported.copy(tmp_path / "own")
    monkeypatch.chdir(copy.root)
    return copy


def test_the_networks_that_vote_shrink_and_the_faces_stay(project, monkeypatch):
    before = {file.name: file.read_bytes() for file in (project.root / "bundle/model").iterdir()}
    labels = [Labeller("bundle/model").label(file).faces[0] for file in sorted(project.root.glob("data/sample/eval/images/*"))]
    project.set(export__precision="int8")
    monkeypatch.setattr(int8, "MOST_LOST", 1)  # networks that learnt nothing lose by chance
    export.main()
    after = {file.name: file.read_bytes() for file in (project.root / "bundle/model").iterdir()}
    assert after.keys() == before.keys()
    assert all(len(after[name]) < 0.5 * len(before[name]) for name in ("mask-0.onnx", "gender-0.onnx", "age-0.onnx"))
    assert all(after[name] == before[name] for name in after if name[1:].startswith("net.") or name.endswith(".safetensors"))
    for face, file in zip(labels, sorted(project.root.glob("data/sample/eval/images/*"))):
        [now] = Labeller("bundle/model").label(file).faces
        assert now.box == face.box
        for attribute, values in face.probabilities.items():
            assert values == pytest.approx(now.probabilities[attribute], abs=0.05)


def test_the_card_says_what_it_costs_and_a_network_still_names_its_classes(project, monkeypatch):
    project.set(export__precision="int8")
    monkeypatch.setattr(int8, "MOST_LOST", 1)
    export.main()
    card = json.loads((project.root / "bundle/model/card.json").read_text())
    assert card["precision"] == "int8"
    assert card["int8"]["photos"] == card["metrics"]["photos"]
    assert card["int8"]["float32"] == pytest.approx(card["metrics"]["f1"])  # one fold, held out: the pipeline's own score
    assert "| precision | int8: macro F1 " in (project.root / "bundle/model/README.md").read_text()
    about = {entry.key: entry.value for entry in onnx.load(project.root / "bundle/model/mask-0.onnx").metadata_props}
    assert json.loads(about["classes"]) == ["worn", "incorrect", "bare"]


def test_what_loses_too_much_is_an_error_and_the_bundle_before_it_stays(project, monkeypatch):
    before = (project.root / "bundle/model/card.json").read_bytes()
    project.set(export__precision="int8")
    monkeypatch.setattr(int8, "MOST_LOST", -1)  # nothing is good enough
    with pytest.raises(UserError, match=r"params.yaml: export.precision: int8 loses .* set it to float32"):
        export.main()
    assert (project.root / "bundle/model/card.json").read_bytes() == before


def test_the_loss_is_that_of_held_out_people(project):
    faces = Faces(project.root / "data/faces")
    labels = pd.DataFrame({"photo": faces.photos[:36], "class_true": CONTEST.names * 2})
    right, wrong = (SimpleNamespace(classify=lambda crops, shift=shift: ((np.arange(len(crops)) + shift) % 18, None))
                    for shift in (0, 1))
    assert int8.check_f1(wrong, right, faces, labels, CONTEST) == {"float32": 0.0, "int8": 1.0, "photos": 36}
    with pytest.raises(UserError, match=r"int8 loses 1.000 of macro F1 \(1.000 to 0.000 on 36 photos\)"):
        int8.check_f1(right, wrong, faces, labels, CONTEST)
