"""Weights come back as they were, and a checkpoint of another run is not taken for one of this."""
import json
import re
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from stages.core.errors import UserError
from stages.core.face_store import Faces, write_faces
from stages.core.model_params import YEAR_LOSSES
from stages.core.params import parse
from stages.modeling.checkpoints import SETTINGS, WEIGHTS, Resume, load_model, restore, run_digest, save_model
from stages.modeling.networks import start_network
from stages.modeling.train_model import settings
from tests.conftest import ROOT
from tests.sections import SHIPPED, section

HEADS = {"two": {"head_layers": 2}, "cosine": {"loss": "arcface"}, "years": {"loss": "year_distribution"}}
SIZE = (48, 32)


@pytest.mark.parametrize("folder, stage", [("models/age/0", "train@age-0"), ("models/refit/age", "refit@age")])
def test_a_model_comes_back_with_its_settings(tmp_path, folder, stage):
    state = {"a": torch.randn(3, 4), "n": torch.tensor(7)}
    save_model(state, {"backbone": "x", "heads": (3, 2)}, tmp_path / folder)
    again, settings = load_model(tmp_path / folder)
    assert settings == {"stage": stage, "backbone": "x", "heads": [3, 2]}
    assert all(torch.equal(state[key], again[key]) for key in state)


def change(file, **changes):
    """Change values of a JSON file; ... leaves one out."""
    values = json.loads(file.read_text()) | changes
    file.write_text(json.dumps({key: value for key, value in values.items() if value is not ...}))


MIXED, UNREAD = "are not those of one training", "model.json: not what a training writes"
DAMAGES = {
    "half of the weights": (lambda d: (d / WEIGHTS).write_bytes((d / WEIGHTS).read_bytes()[:50]), MIXED),
    "other shapes": (lambda d: save_file({"a": torch.zeros(3)}, d / WEIGHTS), MIXED),
    "another model's weights": (lambda d: shutil.copy(d / "../../mask/0" / WEIGHTS, d), MIXED),
    "another model's settings": (lambda d: shutil.copy(d / "../../mask/0" / SETTINGS, d), MIXED),
    "another model": (lambda d: shutil.copytree(d / "../../mask/0", d, dirs_exist_ok=True), "holds the model of train@mask-0"),
    "another fold": (lambda d: shutil.copytree(d.parent / "1", d, dirs_exist_ok=True), "holds the model of train@age-1"),
    "no JSON": (lambda d: (d / SETTINGS).write_text("{"), UNREAD),
    "no UTF-8": (lambda d: (d / SETTINGS).write_bytes(b"\xff"), UNREAD),
    "a list": (lambda d: (d / SETTINGS).write_text("[1]"), UNREAD),
    "brackets": (lambda d: (d / SETTINGS).write_text("[" * 10 ** 5), UNREAD),
    "no hash, as older ones": (lambda d: change(d / SETTINGS, sha256=...), UNREAD),
    "a key less": (lambda d: change(d / SETTINGS, heads=...), MIXED),
    "a size of its own": (lambda d: change(d / SETTINGS, image_size=100000), MIXED),
    "code": (lambda d: change(d / SETTINGS, augment=["__import__('os')"]), MIXED),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_no_training_wrote_is_refused_with_what_to_do(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for number, folder in enumerate(("mask/0", "age/0", "age/1")):
        save_model({"a": torch.full((3, 4), float(number))}, {"heads": [3], "augment": []}, Path("models", folder))
    damage, said = DAMAGES[name]
    damage(Path("models/age/0"))
    with pytest.raises(UserError, match=f"^models/age/0.*{said}; run dvc checkout --force models/age/0, or dvc repro --force "
                                        "--single-item train@age-0$"):
        load_model(Path("models/age/0"))


def test_a_checkpoint_is_found_by_its_key_alone(tmp_path):
    path = tmp_path / "r.pt"
    resume = Resume(path, "k")
    resume.save(curve=[{"lr": 1.0}], best=torch.ones(2))
    resume.wait()
    assert Resume(path, "k").load()["curve"] == [{"lr": 1.0}]
    assert Resume(path, "other").load() is None


def test_a_checkpoint_is_of_the_moment_it_was_saved_though_training_goes_on(tmp_path):
    resume, state = Resume(tmp_path / "r.pt", "k"), {"weights": [torch.zeros(3)], "steps": {0: torch.tensor(1)}}
    resume.thread.submit(time.sleep, 0.1)  # the writer is busy
    resume.save(trainer=state)
    state["weights"][0] += 1
    state["steps"][0] += 1
    resume.wait()
    kept = resume.load()["trainer"]
    assert torch.equal(kept["weights"][0], torch.zeros(3)) and kept["steps"][0] == 1


def test_a_checkpoint_that_could_not_be_written_is_not_passed_over(tmp_path):
    (tmp_path / "file").touch()
    resume = Resume(tmp_path / "file" / "r.pt", "k")
    resume.save(curve=[])
    with pytest.raises(OSError):
        resume.clear()


@pytest.mark.parametrize("content", [b"", b"broken"])
def test_a_broken_checkpoint_means_to_begin_anew(tmp_path, content):
    (tmp_path / "r.pt").write_bytes(content)
    assert Resume(tmp_path / "r.pt", "k").load() is None


def test_the_key_changes_with_the_code_that_trains(tmp_path, monkeypatch):
    code = tmp_path / "train.py"
    code.write_text("one")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(code), raising=False)
    before = run_digest(1)
    code.write_text("two")
    assert run_digest(1) != before


def test_the_key_changes_with_every_input():
    runs = ({"lr": 1}, 0, "d"), ({"lr": 2}, 0, "d"), ({"lr": 1}, 1, "d"), ({"lr": 1}, 0, "e")
    keys = [run_digest(*parts) for parts in runs]
    assert len(set(keys)) == 4
    assert run_digest({"lr": 1}, 0, "d") == keys[0]


def trained(folder, name: str, p) -> torch.nn.Module:
    """A network as a stage leaves it, of random weights, head too, that came back from folder/age/0."""
    write_faces(folder / "faces", ["a.jpg"], np.zeros((1, 96, 64, 3), np.uint8), (96, 64))
    network = start_network(name, p, SIZE)
    for weight in network.parameters():
        weight.data += 0.02 * torch.randn_like(weight)
    save_model(network.state_dict(), settings(p), folder / "age/0")
    again, _ = restore(folder / "age/0", Faces(folder / "faces"))
    photos = torch.randn(2, 3, *SIZE)
    assert torch.equal(again(photos), network.eval()(photos))
    return again


@pytest.mark.parametrize("backbone", ["test_efficientnet", "test_vit"])
@pytest.mark.parametrize("name", ["age", "joint"])
def test_a_network_with_a_head_of_one_layer_comes_back_in_plain_timm(tmp_path, name, backbone):
    network, photos = trained(tmp_path, name, section(name, backbone=backbone, image_size=48)), torch.randn(2, 3, *SIZE)
    timm.models.save_for_hf(network, tmp_path / "out", safe_serialization=True)
    again = timm.create_model(f"local-dir:{tmp_path / 'out'}", pretrained=True).eval()
    assert torch.equal(again(photos), network(photos))
    assert again(photos).shape == (2, {"age": 3, "joint": 8}[name])


@pytest.mark.parametrize("backbone", ["test_efficientnet", "test_vit"])
@pytest.mark.parametrize("head", HEADS)
def test_of_another_head_plain_timm_gives_the_features_and_never_a_head_of_random_weights(tmp_path, head, backbone):
    network = trained(tmp_path, "age", section(backbone=backbone, image_size=48, **HEADS[head]))
    photos = torch.randn(2, 3, *SIZE)
    timm.models.save_for_hf(network, tmp_path / "out", safe_serialization=True)
    with pytest.raises(RuntimeError, match="Missing key"):
        timm.create_model(f"local-dir:{tmp_path / 'out'}", pretrained=True)
    again = timm.create_model(f"local-dir:{tmp_path / 'out'}", pretrained=True, num_classes=0).eval()
    assert torch.equal(again(photos), network.forward_head(network.forward_features(photos), pre_logits=True))


@pytest.mark.parametrize("loss", ["cross_entropy", *YEAR_LOSSES])
def test_a_model_of_other_age_groups_comes_back_with_them(tmp_path, loss):
    p = parse(SHIPPED | {"classes": SHIPPED["classes"] | {"age": [20, 40, 60]}, "age": SHIPPED["age"] | {
        "backbone": "test_efficientnet", "image_size": 48, "loss": loss}}).sections["age"]
    network, photos = trained(tmp_path, "age", p), torch.randn(2, 3, *SIZE)
    assert network(photos).shape == (2, 4)
    assert json.loads((tmp_path / "age/0/model.json").read_text())["age_borders"] == [20, 40, 60]


def test_the_guide_brings_a_trained_network_to_timm(own):
    """Its own lines, in a project that ran."""
    save, load = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/own-photos.md").read_text(), re.MULTILINE | re.DOTALL)
    done = own.sh("python", "-c", save)
    assert done.returncode == 0, done.stderr
    look = "import torch\nprint(network(torch.ones(1, 3, 32, 32)).tolist(), timm.data.resolve_model_data_config(network))"
    there = own.sh("python", "-c", load + look)
    assert there.returncode == 0, there.stderr
    numbers, _, config = there.stdout.partition(" {")
    assert "'input_size': (3, 32, 32)" in config
    assert "'crop_pct': 1.0" in config
    network, _ = restore(own.root / "models/mask/0", Faces(own.root / "data/faces"))
    torch.testing.assert_close(torch.tensor(json.loads(numbers)), network(torch.ones(1, 3, 32, 32)).detach())
