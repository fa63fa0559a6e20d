"""The best epoch is the one that scored best; a training whose loss is no number ends and keeps it."""
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.modeling.checkpoints import Resume
from stages.modeling.datamodule import loaders, read_datasets
from stages.modeling.fit_loop import best_epoch, fit, validate
from stages.modeling.losses import make_loss
from stages.modeling.networks import start_network
from stages.modeling.trainer import Trainer
from tests.sections import section


def test_the_best_epoch_is_the_first_of_the_best_by_what_is_asked_for():
    curve = [{"val/f1": f1, "val/accuracy": accuracy, "val/loss": loss} for f1, accuracy, loss in
             [(0.2, 0.9, float("nan")), (0.5, 0.8, 2.0), (0.4, 0.9, 1.0), (0.5, 0.7, 1.0)]]
    assert [best_epoch(curve, by) for by in ("f1", "accuracy", "loss")] == [2, 1, 3]
    assert best_epoch([], "f1") == 0
    assert best_epoch(curve, None) == 4


@pytest.fixture
def fitted(ran, monkeypatch, tmp_path):
    """A function: fit age with losses given by hand, step by step, two an epoch; returns what fit does. The step
    `broken_in` leaves a weight that is no number."""
    def fit_with(losses, held_out=True, broken_in=None, **changes):
        monkeypatch.chdir(ran.root)
        faces, p, size = Faces(ran.root / "data/faces"), section(backbone="test_efficientnet", batch=16, **changes), (32, 32)
        train_set, val_set = read_datasets(faces, "age", 0, p)
        train_loader, val_loader = loaders(train_set, val_set, faces, p, size, torch.device("cpu"), 0)
        assert len(train_loader) == 2
        trainer = Trainer(start_network("age", p, size), p, make_loss(p, None), 2, torch.device("cpu"))
        values = iter(enumerate(losses, 1))

        def step(*_):
            number, loss = next(values)
            if number == broken_in:
                next(trainer.network.parameters()).data.fill_(float("nan"))
            return torch.tensor(loss)

        trainer.backward, trainer.update = step, lambda _: None
        live = SimpleNamespace(log_metric=lambda *_: None, next_step=lambda: None)
        score = partial(validate, val_loader=val_loader, target=val_set.target, p=p, device=torch.device("cpu"))
        return fit(trainer, train_loader, train_set.target, Resume(tmp_path / "r.pt", "k"), live, score if held_out else None)
    return fit_with


def test_a_training_that_diverges_ends_says_where_and_keeps_its_best_epoch(fitted, capsys):
    best, curve = fitted([1.0, 0.9, 0.8, float("nan")])
    assert len(curve) == 1
    assert all(torch.isfinite(value).all() for value in best.values())
    assert "warning: the loss was not finite in step 2 of epoch 2; training ends, and epoch 1 is kept" in (
        capsys.readouterr().out)


def test_a_training_that_diverges_in_its_first_epoch_stops_with_what_to_change(fitted):
    line = f"not finite in step 1 of epoch 1; lower lr, {section().lr}, or clip_grad, {section().clip_grad:g} "
    with pytest.raises(UserError, match=line):
        fitted([float("inf"), 1.0])


@pytest.mark.parametrize("held_out", [True, False])
def test_weights_that_the_last_step_breaks_are_not_kept(fitted, capsys, held_out):
    best, curve = fitted([1.0, 0.9, 0.8, 0.7], held_out, epochs=2, broken_in=4)
    assert len(curve) == 1
    assert all(torch.isfinite(value).all() for value in best.values())
    assert "warning: weights were not finite after the last step of epoch 2; training ends, and epoch 1 is kept" in (
        capsys.readouterr().out)


def test_without_anybody_held_out_the_last_epoch_asked_for_is_kept(fitted):
    best, curve = fitted([1.0, 0.9] * 3, held_out=False, epochs=3)
    assert best
    assert len(curve) == 3
    assert curve[0].keys() == {"train/loss", "lr"}
