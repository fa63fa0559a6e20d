"""The bundle holds what labelling needs, says what it is, and is not written where it would label otherwise."""
import hashlib
import json

import pandas as pd
import pytest
from safetensors.numpy import load_file

from labeller import Labeller
from labeller.onnx_runtime import onnxruntime
from stages.core.params import read_params
from stages.exporting.networks import members


@pytest.fixture(scope="module")
def card(exported) -> dict:
    return json.loads((exported.root / "bundle/model/card.json").read_text())


def test_the_card_names_every_file_by_its_hash_and_what_it_was_made_from(exported, card):
    folder = exported.root / "bundle/model"
    hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir() if file.name != "card.json"}
    assert card["files"] == hashes
    assert card["metrics"] == json.loads((exported.root / "reports/metrics.json").read_text())
    last = exported.sh("git", "log", "-1", "--format=%H", "--", "params.yaml", "dvc.yaml", "stages", "labeller").stdout.strip()
    assert card["made_from"] == {"revision": last, "changed": False, "people": 12, "photos": 84}


def test_a_network_names_its_classes_and_takes_any_number_of_crops(exported):
    session = onnxruntime.InferenceSession(exported.root / "bundle/model/mask-0.onnx")
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["classes"]) == ["worn", "incorrect", "bare"]
    [given] = session.get_inputs()
    assert (given.type, given.shape[1:]) == ("tensor(uint8)", [int(about["height"]), int(about["width"]), 3])
    assert isinstance(given.shape[0], str)


def test_the_weights_are_those_that_were_trained(exported):
    for name in ("mask", "gender", "age"):
        trained = load_file(exported.root / f"models/{name}/0/weights.safetensors")
        shared = load_file(exported.root / f"bundle/model/{name}-0.safetensors")
        assert trained.keys() == shared.keys()
        assert all((trained[key] == shared[key]).all() for key in trained)


def test_the_model_card_says_what_it_must_not_be_used_for_and_how_well_it_does(exported, card):
    text = (exported.root / "bundle/model/README.md").read_text()
    assert "**Do not use it**" in text
    assert f"| 18 classes | {card['metrics']['f1']:.3f} |" in text
    assert "| male, under30 |" in text
    assert "set `export.licence`" in text


def test_an_export_gives_the_same_bytes_in_any_folder_and_dvc_and_git_see_nothing_of_it(exported, own):
    for _ in range(2):  # the second over the first
        done = own.python("stages.export")
        assert done.returncode == 0, done.stderr
    assert (own.root / "bundle/model/card.json").read_bytes() == (exported.root / "bundle/model/card.json").read_bytes()
    assert own.sh("git", "status", "--short").stdout == ""
    assert "up to date" in own.sh("dvc", "status").stdout


@pytest.mark.parametrize("key, value, said", [
    ("crop__margin", 0.5, "crop.margin: 0.5, and the last run was with 0.25"),
    ("detect__min_face", 40, "detect.min_face: 40, "),
    ("combine__vote", "hard", "combine.vote: 'hard', and the last run was with 'soft'"),
])
def test_parameters_that_the_last_run_did_not_have_are_refused(own, key, value, said):
    own.set(**{key: value})
    done = own.python("stages.export")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"error: params.yaml: {said}")


@pytest.mark.slow
@pytest.mark.parametrize("changes", [
    {"combine__decision": "offsets", "predict__age__views": "flip", "folds": [0, 1]},
    {"models": ["mask", "gender", "age", "joint"], "refit": ["age"], "combine__vote": "hard"},
    {"combine__calibration": "temperature", "combine__decision": "cell_offsets", "age__augment": ["light", "grey"],
     "models": ["mask", "gender", "age", "joint"], "combine__weights": {"joint": 2, "mask": 0.5}},
])
def test_votes_offsets_views_and_refits_go_with_the_bundle(own, changes):
    own.set(**changes)
    own.repro("evaluate")
    assert own.python("stages.export").returncode == 0
    card = json.loads((own.root / "bundle/model/card.json").read_text())
    wanted = [f"{name}-{fold}.onnx" for name, fold, _ in members(read_params(own.root / "params.yaml"))]
    assert [network["file"] for model in card["models"] for network in model["networks"]] == wanted
    files = sorted((own.root / "data/sample/eval/images").iterdir())
    labelled = {photo.source.rsplit("/", 1)[1]: photo.faces[0].number for photo in Labeller(own.root / "bundle/model")(files)}
    lines = (own.root / "reports/submission.csv").read_text().splitlines()[1:]
    assert labelled == {name: int(answer) for name, answer in (line.split(",") for line in lines)}


@pytest.mark.slow
def test_a_bundle_that_would_label_otherwise_is_an_error(own):
    """Such as where the labels are of an earlier run."""
    table = pd.read_parquet(own.root / "data/combined.parquet")
    table["class"] = (table["class"] + 1) % 18
    (own.root / "data/combined.parquet").unlink()
    table.to_parquet(own.root / "data/combined.parquet")
    done = own.python("stages.export")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: the bundle labels eval/images/")
    assert list((own.root / "bundle").iterdir()) == []  # and none is left to be used
