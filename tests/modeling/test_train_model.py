"""A training of fewer epochs than its section says has the schedule of so many; a soup is the mean of its trainings;
where memory is short, half the batch makes do."""
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from stages.core.errors import UserError
from stages.modeling.checkpoints import load_model
from stages.modeling.lr_schedules import make_schedule
from stages.modeling.networks import make_network
from stages.modeling.train_model import Training, average, shortened, train_model
from stages.modeling.trainer import Trainer
from tests.sections import SHIPPED, section


def rates(p) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], p.lr)
    schedule, out = make_schedule(optimizer, p, 5), []
    for _ in range(p.epochs * 5):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return out


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine"])
def test_the_schedule_of_a_refit_ends_where_the_refit_ends(schedule):
    p = section(epochs=8, schedule=schedule)
    assert rates(shortened(p, 3))[-1] < 0.1 * p.lr
    assert len(rates(shortened(p, 3))) == 15


def test_a_warm_up_leaves_at_least_one_epoch():
    p = shortened(section(epochs=8, schedule="cosine", warmup=5, freeze_epochs=4), 2)
    assert (p.epochs, p.warmup, p.freeze_epochs) == (2, 1, 1)


def test_the_mean_of_weights_is_of_each_tensor_and_counters_stay():
    states = [{"w": torch.full((2,), float(i)), "n": torch.tensor(7)} for i in (1, 3)]
    mean = average(states)
    assert mean["w"].tolist() == [2, 2] and mean["n"] == 7


def test_a_network_that_cannot_be_compiled_names_the_parameter(tmp_path, monkeypatch):
    def fit(*_):
        raise torch._dynamo.exc.TorchDynamoException("no compiler\nfor this")

    monkeypatch.setattr("stages.modeling.train_model.fit", fit)
    training = SimpleNamespace(p=section(), **dict.fromkeys(["trainer", "batches", "target", "resume", "score", "statistics"]))
    with pytest.raises(UserError, match=r"machine.compile: true, but torch cannot compile .*no compiler\); set it to false"):
        Training.fit(training, tmp_path)


@pytest.fixture
def pretrained(own):
    """The tiny project, whose age model starts from weights in a file."""
    save_file(make_network("test_efficientnet", 7, (32, 32)).state_dict(), own.root / "w.safetensors")
    own.set(age__weights="w.safetensors", age__epochs=2, age__precise_bn=64, age__lr=0.03)
    return own


def trained(project, **changes) -> tuple[dict, dict]:
    project.set(**changes)
    done = project.python("stages.train", "age", "0")
    assert done.returncode == 0, done.stderr
    return load_model(project.root / "models/age/0")


def test_a_soup_is_the_mean_of_its_trainings_with_statistics_of_its_own(pretrained):
    seed = SHIPPED["training"]["seed"]
    first, _ = trained(pretrained)
    mean, settings = trained(pretrained, age__soup=2)
    fresh = {key for key in mean if "running" in key or "num_batches" in key}
    second = {key: 2 * value - first[key] for key, value in mean.items() if key not in fresh}
    alone, _ = trained(pretrained, age__soup=1, age__seed=seed + 1)
    assert not any(torch.equal(mean[key], first[key]) for key in mean if key.endswith("conv_pw.weight"))
    for key, value in second.items():
        torch.testing.assert_close(value, alone[key], atol=1e-4, rtol=1e-3)
    assert any((mean[key] - (first[key] + alone[key]) / 2).abs().max() > 1e-4 for key in fresh if "running" in key)
    assert settings["f1"] is not None and not list((pretrained.root / "models/.resume").glob("age*"))


@pytest.fixture
def small_memory(own, monkeypatch):
    """The tiny project, on a machine whose memory holds a batch of four."""
    def backward(self, crops, *rest):
        if len(crops) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return real(self, crops, *rest)

    real = Trainer.backward
    monkeypatch.setattr(Trainer, "backward", backward)
    monkeypatch.chdir(own.root)
    return own


def test_where_memory_is_short_half_the_batch_gives_the_weights_of_a_run_with_it(small_memory, capsys):
    small_memory.set(age__batch=16, age__halve_batch=True)
    train_model("age", 0, Path("models/age/0"))
    assert ("note: not enough memory for a batch of 8, so training starts again with batch: 4 and grad_accum_steps: 4"
            in capsys.readouterr().out)
    state, noted = load_model(Path("models/age/0"))
    assert (noted["batch"], noted["grad_accum_steps"]) == (4, 4)
    small_memory.set(age__batch=4, age__grad_accum_steps=4)
    train_model("age", 0, Path("models/age/0"))
    same, _ = load_model(Path("models/age/0"))
    assert all(torch.equal(state[key], same[key]) for key in state)


def test_a_batch_is_halved_only_where_the_parameter_says_so_and_to_two_photos_at_least(small_memory, monkeypatch, capsys):
    small_memory.set(age__batch=8)
    with pytest.raises(torch.OutOfMemoryError):
        train_model("age", 0, Path("models/age/0"))
    small_memory.set(age__halve_batch=True)
    monkeypatch.setattr(Trainer, "backward", lambda *_: np.zeros(1 << 50))
    with pytest.raises(MemoryError):
        train_model("age", 0, Path("models/age/0"))
    notes = [line.split(" with ")[1] for line in capsys.readouterr().out.splitlines() if "not enough memory" in line]
    assert notes == ["batch: 4 and grad_accum_steps: 2", "batch: 2 and grad_accum_steps: 4"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="not measured yet: no GPU here")
def test_a_gpu_without_memory_for_the_batch_trains_with_half_of_it(own, monkeypatch, capsys):
    monkeypatch.chdir(own.root)
    own.set(machine__device="cuda", age__batch=32, age__image_size=512, age__halve_batch=True)
    torch.cuda.set_per_process_memory_fraction(0.25 * (1 << 30) / torch.cuda.get_device_properties(0).total_memory)
    try:
        train_model("age", 0, Path("models/age/0"))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "so training starts again with batch: " in capsys.readouterr().out
