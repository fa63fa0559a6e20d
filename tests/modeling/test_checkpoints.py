"""Weights come back as they were, and a checkpoint of another run is not taken for one of this."""
import sys
import time

import pytest
import torch

from stages.modeling.checkpoints import Resume, load_model, run_digest, save_model


def test_a_model_comes_back_with_its_settings(tmp_path):
    state = {"a": torch.randn(3, 4), "n": torch.tensor(7)}
    save_model(state, {"backbone": "x"}, tmp_path / "m")
    again, settings = load_model(tmp_path / "m")
    assert settings == {"backbone": "x"}
    assert all(torch.equal(state[key], again[key]) for key in state)


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
