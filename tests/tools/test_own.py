"""One's own photos become models of what they tell, with masks painted where they tell nothing of masks, and a bundle."""
import json
import shutil

import pandas as pd
import pytest

from stages.core.errors import UserError
from tools.own import settings_for


def test_photos_with_all_labels_are_learnt_as_they_are():
    assert settings_for("mine", {"mask": 5, "gender": 7, "age": 7}, {}) == {
        "data.root": "mine", "models": ["mask", "gender", "age"]}


def test_without_masks_they_are_painted_and_the_photos_are_read_as_the_user_says(capsys):
    read = {"data.table": "labels.csv", "data.columns.age": "years"}
    assert settings_for("mine", {"mask": 0, "gender": 7, "age": 0}, read) == {
        "data.root": "data/painted", "paint.sets": ["painted"], "paint.source.root": "mine", "models": ["mask", "gender"],
        "paint.source.table": "labels.csv", "paint.source.columns.age": "years"}
    assert capsys.readouterr().out == ("models: mask, gender; without labels, and so without a model: age; masks are painted, "
                                       "since no photo has a label of mask\n")


def test_classes_without_a_mask_paint_none():
    assert settings_for("mine", {"gender": 7, "age": 1}, {})["models"] == ["gender", "age"]


def test_photos_without_any_label_stop():
    with pytest.raises(UserError, match=r"mine: no photo to train on has a label of mask, age; docs/own-photos.md says how"):
        settings_for("mine", {"mask": 0, "age": 0}, {})


@pytest.mark.parametrize("words, named", [
    (["nowhere"], "error: nowhere: no folder"),
    (["data/sample", "age.los=focal"], "error: age.los=focal: age.los: no such parameter in params.yaml"),
    (["data/sample", "data.layouts=folders"], "error: data.layouts=folders: data.layouts: no such parameter in params.yaml"),
    (["stages"], "error: stages: "),
])
def test_what_cannot_be_is_one_line(own, words, named):
    done = own.python("tools.own", *words)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(named)
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_folder_of_bare_faces_becomes_a_bundle(own):
    given = pd.read_csv(own.root / "data/given.csv")
    (own.root / "faces").mkdir()
    bare = given[given["mask"] == "bare"]
    for i, row in enumerate(bare.itertuples()):
        name = f"{row.age}_{int(row.gender == 'female')}_2_201701{i:08d}.jpg"
        shutil.copy(own.root / "data/sample" / row.photo, own.root / "faces" / name)
    small = ["training.backbone=test_efficientnet", "training.weights=null", "training.image_size=32", "mask.image_size=32",
             "gender.image_size=32", "age.image_size=32", "mask.epochs=1", "gender.epochs=1", "age.epochs=1", "crop.height=32",
             "paint.worn=2", "split.n_folds=2"]
    done = own.python("tools.own", "faces", *small)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "masks are painted" in done.stdout
    photos = pd.read_csv(own.root / "data/given.csv")["mask"].value_counts().to_dict()
    assert photos == {"worn": 2 * len(bare), "incorrect": len(bare), "bare": len(bare)}
    card = json.loads((own.root / "bundle/model/card.json").read_text())
    assert list(card["classes"]) == ["mask", "gender", "age"]
    labelled = own.sh("label", str(own.root / "faces"), "--bundle", str(own.root / "bundle/model"), "--json")
    assert len([json.loads(line) for line in labelled.stdout.splitlines() if line.startswith("{")]) == len(bare)
