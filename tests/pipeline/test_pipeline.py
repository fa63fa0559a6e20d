"""The whole pipeline: the same commit gives the same bytes, and DVC's daily commands work on it."""
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, make_project

RESULTS = ["reports/metrics.json", "reports/submission.csv", "reports/plots/labels.csv", "data/combined.parquet"]


@pytest.mark.slow
def test_make_repro_from_cold_gives_the_same_bytes_whatever_the_workers(ran, tmp_path):
    """README's first command, each stage by an interpreter of its own."""
    again = make_project(tmp_path / "again")
    again.set(machine__workers=2)
    for file in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / file, again.root)
    (again.root / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name != ".installed":
            (again.root / ".venv" / part.name).symlink_to(part)
    (again.root / ".venv/.installed").touch()
    done = subprocess.run(["make", "repro"], check=False, cwd=again.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for file in RESULTS:
        assert (again.root / file).read_bytes() == (ran.root / file).read_bytes(), file


@pytest.mark.slow
def test_an_experiment_can_be_run_and_compared_with_the_last_commit(own):
    done = own.sh("dvc", "exp", "run", "-S", "age.loss=focal", "-S", "age.lr=3e-4")
    assert done.returncode == 0, done.stdout + done.stderr
    changed = json.loads(own.sh("dvc", "params", "diff", "--json").stdout)["params.yaml"]
    assert changed["age.loss"] == {"old": "cross_entropy", "new": "focal"}
    assert own.sh("dvc", "metrics", "diff", "--json").returncode == 0
    plots = json.loads(own.sh("dvc", "plots", "diff", "--json").stdout)["data"]
    titles = [title for plot in yaml.safe_load((ROOT / "dvc.yaml").read_text())["plots"] for title in plot]
    assert list(plots) == titles
    for title, [plot] in plots.items():
        assert {row["rev"] for row in plot["content"]["data"]["values"]} == {"HEAD", "workspace"}, title
    assert own.repro() == set()  # the workspace is what the experiment left


@pytest.mark.slow
def test_photos_never_get_into_the_commit_of_an_experiment(own):
    """DVC adds to it whatever git neither tracks nor ignores."""
    shutil.copytree(own.root / "data/sample", own.root / "data/mine")
    done = own.sh("dvc", "exp", "run", "-n", "mine", "-S", "data.root=data/mine")
    assert done.returncode == 0, done.stdout + done.stderr
    committed = own.sh("git", "ls-tree", "-r", "--name-only", own.sh("dvc", "exp", "list", "--sha-only").stdout.strip()).stdout
    assert "reports/metrics.json" in committed
    assert not [file for file in committed.splitlines() if file.endswith((".jpg", ".jpeg", ".png"))]
