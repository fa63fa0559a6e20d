"""A training that is killed goes on and ends in the same bytes; its best epoch is the one that scored best."""
import json
import os
import signal
import subprocess
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from stages.lib.checkpoints import Resume
from stages.lib.engine import Trainer
from stages.lib.errors import UserError
from stages.lib.facefile import Faces
from stages.lib.losses import make_loss
from stages.lib.networks import start_network
from stages.train import Part, best_epoch, fit, loaders, make_mixing, read_parts
from tests.test_losses import section


def test_the_best_epoch_is_the_first_of_the_best_by_what_is_asked_for():
    curve = [{"val/f1": f1, "val/accuracy": accuracy, "val/loss": loss} for f1, accuracy, loss in
             [(0.2, 0.9, float("nan")), (0.5, 0.8, 2.0), (0.4, 0.9, 1.0), (0.5, 0.7, 1.0)]]
    assert [best_epoch(curve, by) for by in ("f1", "accuracy", "loss")] == [2, 1, 3]
    assert best_epoch([], "f1") == 0


@pytest.fixture
def learn():
    """60 photos of people of three cells, most of them young women."""
    table = pd.DataFrame({"row": range(60), "given_gender": ["female"] * 40 + ["male"] * 20,
                          "given_age": [25] * 40 + [35] * 10 + [60] * 10})
    return Part(table, np.ones(60, bool), np.repeat([0, 1, 2], [40, 10, 10]))


def test_a_part_knows_its_cells(learn):
    assert [len(set(cells)) for cells in np.split(learn.cells(), [40, 50])] == [1, 1, 1]
    assert len(set(learn.cells())) == 3


@pytest.mark.parametrize("cells, chosen", [([], None), ([["male", 30, 39]], range(40, 50)), ([["any", 60, 120]], range(50, 60)),
                                           ([["female", 0, 120], ["male", 60, 60]], [*range(40), *range(50, 60)])])
def test_only_the_chosen_cells_are_mixed(learn, cells, chosen):
    mixing = make_mixing(section(mixing="mixup", mixing_cells=cells), learn)
    assert (mixing.chosen is None) if chosen is None else mixing.chosen.nonzero().flatten().tolist() == list(chosen)


def test_mixing_is_what_the_section_asks_for(learn):
    assert make_mixing(section(mixing="none"), learn) is None
    mixing = make_mixing(section(mixing="cutmix", mixing_share=0.3, mixing_alpha=2, mixing_partners="other",
                                 mixing_within="gender", seed=5), learn)
    assert (mixing.kind, mixing.share, mixing.alpha, mixing.partners, mixing.seed) == ("cutmix", 0.3, 2, "other", 5)
    assert len(set(mixing.groups[:40].tolist())) == len(set(mixing.groups[40:].tolist())) == 1
    assert mixing.groups[0] != mixing.groups[-1]


@pytest.mark.parametrize("sampler, shares", [("none", [40, 10, 10]), ("class", [20, 20, 20]), ("cell", [20, 20, 20])])
def test_a_sampler_draws_what_it_is_named_after_evenly(learn, ran, sampler, shares):
    faces = Faces(ran.root / "data/faces")
    learning, _ = loaders(learn, learn, faces, section(sampler=sampler, augment=[], batch=2), (32, 32), torch.device("cpu"), 0)
    counts = np.zeros(3)
    for epoch in range(40):
        learning.sampler.epoch = epoch
        counts += np.bincount(learn.target[[position for position, _ in learning.sampler]], minlength=3) / 40
    assert counts == pytest.approx(shares, abs=2)


def test_held_out_photos_are_augmented_by_what_is_always_done_alone(learn, ran):
    faces = Faces(ran.root / "data/faces")
    _, plain = loaders(learn, learn, faces, section(augment=["light", "noise"]), (32, 32), torch.device("cpu"), 0)
    assert plain.dataset.augment is None
    learning, grey = loaders(learn, learn, faces, section(augment=["light", "grey"]), (32, 32), torch.device("cpu"), 0)
    for batches in (learning, grey):
        crops, _ = next(iter(batches))
        assert torch.equal(crops[..., 0], crops[..., 1])


def test_moved_borders_and_dropped_ages_change_what_is_learnt_and_never_what_is_scored(ran, monkeypatch):
    monkeypatch.chdir(ran.root)
    faces = Faces(ran.root / "data/faces")
    plain = read_parts(faces, "age", 0, section())
    moved = read_parts(faces, "age", 0, section(border_low=40, border_high=55, drop=[[20, 25]]))
    assert len(moved[0].rows) < len(plain[0].rows)
    kept = np.isin(plain[0].rows, moved[0].rows)
    assert (plain[0].target[kept] != moved[0].target).any()
    assert (plain[1].rows == moved[1].rows).all()
    assert (plain[1].target == moved[1].target).all()


def files(folder) -> dict:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def kill_in_mid_training(project, checkpoint) -> None:
    """Start dvc repro and kill it, with all its children, as soon as one epoch is finished."""
    env = os.environ | {"PATH": f"{os.path.dirname(os.sys.executable)}:{os.environ['PATH']}"}
    run = subprocess.Popen(["dvc", "repro", "train@age-0"], cwd=project.root, env=env, start_new_session=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not checkpoint.exists():
        assert run.poll() is None, "it ended before an epoch was finished"
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def test_a_killed_training_goes_on_from_its_last_epoch_with_the_next_repro(ran, own, tmp_path):
    other = ran.copy(tmp_path / "undisturbed")
    for project in (own, other):
        project.set(age__epochs=12, age__patience=12, age__schedule="one_cycle", age__augment=["light"],
                    age__ema=0.9, age__mixing="cutmix", age__sampler="cell", age__freeze_epochs=2)
    other.repro("train@age-0")
    checkpoint = own.root / "models/.resume/age-0.pt"
    kill_in_mid_training(own, checkpoint)
    done = own.sh("dvc", "repro", "train@age-0")
    assert done.returncode == 0, done.stderr
    assert "going on after epoch" in done.stdout
    assert files(own.root / "models/age/0") == files(other.root / "models/age/0")
    assert not checkpoint.exists()


def test_dvclive_keeps_loss_f1_and_rate_of_each_epoch(ran):
    model = ran.root / "models/age/0"
    epochs = json.loads((model / "model.json").read_text())["epochs"]
    for metric in ("train/loss", "val/loss", "val/f1", "lr"):
        curve = pd.read_csv(model / f"live/plots/metrics/{metric}.tsv", sep="\t")
        assert list(curve.step) == list(range(epochs)), metric


def test_patience_ends_a_training_that_gets_no_better(own):
    own.set(age__epochs=50, age__patience=2, age__lr=1e-9, age__schedule="none")  # so small that nothing changes
    assert own.python("stages.train", "age", "0").returncode == 0
    settings = json.loads((own.root / "models/age/0/model.json").read_text())
    assert settings["epochs"] == settings["best_epoch"] + 2


@pytest.fixture
def fitted(ran, monkeypatch, tmp_path):
    """A function: fit age with losses given by hand, step by step, two an epoch; returns what fit does."""
    def fit_with(losses):
        monkeypatch.chdir(ran.root)
        faces, p, size = Faces(ran.root / "data/faces"), section(backbone="test_efficientnet", batch=16), (32, 32)
        learn, check = read_parts(faces, "age", 0, p)
        learning, checking = loaders(learn, check, faces, p, size, torch.device("cpu"), 0)
        assert len(learning) == 2
        trainer = Trainer(start_network("age", p, 3, size), p, make_loss(p, None), 2, torch.device("cpu"))
        values = iter(losses)
        trainer.step = lambda *_: torch.tensor(next(values))
        live = SimpleNamespace(log_metric=lambda *_: None, next_step=lambda: None)
        return fit(trainer, learn, check, learning, checking, p, Resume(tmp_path / "r.pt", "k"), live)
    return fit_with


def test_a_training_that_diverges_ends_says_where_and_keeps_its_best_epoch(fitted, capsys):
    best, curve = fitted([1.0, 0.9, 0.8, float("nan")])
    assert len(curve) == 1
    assert all(torch.isfinite(value).all() for value in best.values())
    assert "warning: the loss was no number in step 2 of epoch 2; training ends, and epoch 1 is kept" in capsys.readouterr().out


def test_a_training_that_diverges_in_its_first_epoch_stops_with_what_to_change(fitted):
    with pytest.raises(UserError, match=r"no number in step 1 of epoch 1; lower lr, 0.002, or clip_grad, 1 "):
        fitted([float("inf"), 1.0])


def test_a_model_that_is_not_listed_is_one_line(own):
    done = own.python("stages.train", "hair", "0")
    assert done.returncode == 1
    assert done.stderr == "error: params.yaml: models: 'hair' is not listed; listed are mask, gender, age\n"
