"""A training of fewer epochs than its section says has the schedule of so many; a soup is the mean of its trainings."""
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from stages.core.errors import UserError
from stages.modeling.checkpoints import load_model
from stages.modeling.lr_schedules import make_schedule
from stages.modeling.networks import make_network
from stages.modeling.train_model import Training, average, shortened
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
