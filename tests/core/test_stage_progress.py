"""A stage says which of how many it is, and how long it and the rest took the last time."""
import subprocess
import sys

import pytest

from stages.core.stage_progress import announce, last_seconds, pipeline, place
from stages.core.yaml_file import read_yaml
from tests.conftest import ROOT

PLAN = {"index": ("stages.index",), "train@age-0": ("stages.train", "age", "0"), "report": ("stages.report",)}


@pytest.mark.parametrize("stage, seconds, said", [
    ("index", {}, "stage 1 of 3, index"),
    ("train@age-0", {("stages.train", "age", "0"): 50.2}, "stage 2 of 3, train@age-0: 50 s last time"),
    ("train@age-0", {("stages.train", "age", "0"): 50.0, ("stages.report",): 30.0},
     "stage 2 of 3, train@age-0: 50 s last time; with all after it 1 min 20 s"),
    ("report", {("stages.report",): 30.0}, "stage 3 of 3, report: 30 s last time"),
])
def test_a_stage_says_its_place_and_what_it_took(stage, seconds, said):
    assert place(stage, PLAN, seconds) == said


def test_the_plan_is_what_dvc_makes_of_dvc_yaml(monkeypatch):
    monkeypatch.chdir(ROOT)
    listed = subprocess.run([sys.executable, "-m", "dvc", "stage", "list", "--name-only", "--all"], check=True,
                            capture_output=True, text=True).stdout.split()
    assert sorted(pipeline()) == sorted(listed)
    assert pipeline()["train@age-0"] == ("stages.train", "age", "0")


@pytest.mark.parametrize("root, source, makers", [
    ("data/mine", "data/sample", []), ("data/sample", "data/mine", ["sample"]),
    ("data/painted", "data/mine", ["paint@painted"]), ("data/painted", "data/sample", ["sample", "paint@painted"]),
])
def test_the_plan_has_the_stages_that_make_the_photos(monkeypatch, root, source, makers):
    changed = {"data": {"root": root}, "paint": {"sets": ["painted"] * (root == "data/painted"), "source": {"root": source}}}
    monkeypatch.setattr("stages.core.stage_progress.read_yaml", lambda file: read_yaml(ROOT / file) | (
        changed if file.name == "params.yaml" else {}))
    assert list(pipeline())[:len(makers) + 1] == [*(f"data/dvc.yaml:{name}" for name in makers), "index"]


def test_the_last_time_counts_and_a_line_that_a_kill_cut_off_does_not(tmp_path):
    (tmp_path / "times.csv").write_text("2026-11-25T21:59:27,vm,stages.train,age,0,14.2\n"
                                        "2026-11-25T22:59:27,vm,stages.train,age,0,9.5\n2026-11-25T22:59:27,vm,stages.tr\n")
    assert last_seconds(tmp_path / "times.csv") == {("stages.train", "age", "0"): 9.5}
    assert last_seconds(tmp_path / "none.csv") == {}


def test_only_a_stage_that_dvc_runs_says_so(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("DVC_STAGE", raising=False)
    announce(tmp_path / "times.csv")
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("DVC_STAGE", "split")
    announce(tmp_path / "times.csv")
    assert capsys.readouterr().out.startswith("stage 6 of 17, split")
