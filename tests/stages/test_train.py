"""A training that is killed goes on and ends in the same bytes; its curves are kept."""
import json
import os
import signal
import subprocess
import time

import pandas as pd
import pytest

from stages.core.classes import CONTEST
from stages.core.model_params import YEAR_LOSSES


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


@pytest.mark.slow
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


@pytest.mark.parametrize("loss", YEAR_LOSSES)
def test_a_model_that_learns_years_is_scored_kept_and_asked_by_groups(own, loss):
    own.set(age__loss=loss, age__class_weights="balanced", age__mixing="mixup", age__ema=0.9, age__epochs=2)
    for stage in ("stages.train", "stages.predict"):
        done = own.python(stage, "age", "0")
        assert done.returncode == 0, done.stderr
    given = pd.read_parquet(own.root / "data/predictions/age/0.parquet")
    assert list(given.columns) == ["photo", "p0", "p1", "p2"]
    assert given[["p0", "p1", "p2"]].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    assert given[["p0", "p1", "p2"]].to_numpy().std(axis=0).max() > 0  # it has learnt something: faces differ


@pytest.mark.parametrize("loss", ["year_distribution", "mean_variance"])
def test_a_joint_model_that_learns_years_is_scored_kept_and_asked_by_the_18_classes(own, loss):
    own.set(models=["joint"], joint__attribute_losses={"age": loss}, joint__class_weights="balanced", joint__sampler="class",
            joint__mixing="mixup", joint__ema=0.9, joint__epochs=2)
    for stage in (["labels", "joint"], ["train", "joint", "0"], ["predict", "joint", "0"]):
        done = own.python(f"stages.{stage[0]}", *stage[1:])
        assert done.returncode == 0, done.stderr
    given = pd.read_parquet(own.root / "data/predictions/joint/0.parquet").drop(columns="photo").to_numpy()
    assert given.shape[1] == len(CONTEST.names)
    assert given.sum(axis=1) == pytest.approx(1, abs=1e-5)
    settings = json.loads((own.root / "models/joint/0/model.json").read_text())
    assert (settings["heads"], settings["last_layers"]) == ([3, 2, 3], "years")


def test_patience_ends_a_training_that_gets_no_better(own):
    own.set(age__epochs=50, age__patience=2, age__lr=1e-9, age__schedule="none")  # so small that nothing changes
    assert own.python("stages.train", "age", "0").returncode == 0
    settings = json.loads((own.root / "models/age/0/model.json").read_text())
    assert settings["epochs"] == settings["best_epoch"] + 2


def test_a_model_that_is_not_listed_is_one_line(own):
    done = own.python("stages.train", "hair", "0")
    assert done.returncode == 1
    assert done.stderr == "error: params.yaml: models: 'hair' is not listed; listed are mask, gender, age\n"
