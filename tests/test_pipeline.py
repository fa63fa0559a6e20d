"""The whole pipeline: the same commit gives the same bytes, and DVC's daily commands work on it."""
import json

from tests.conftest import make_project

RESULTS = ["reports/metrics.json", "reports/submission.csv", "reports/plots/labels.csv", "data/combined.parquet"]


def test_two_runs_of_one_commit_give_the_same_bytes(ran, tmp_path):
    again = make_project(tmp_path / "again")
    again.set(machine__workers=2)  # nor do the workers change a byte
    again.repro()
    for file in RESULTS:
        assert (again.root / file).read_bytes() == (ran.root / file).read_bytes(), file


def test_an_experiment_can_be_run_and_compared_with_the_last_commit(own):
    done = own.sh("dvc", "exp", "run", "-S", "age.loss=focal", "-S", "age.lr=3e-4")
    assert done.returncode == 0, done.stdout + done.stderr
    changed = json.loads(own.sh("dvc", "params", "diff", "--json").stdout)["params.yaml"]
    assert changed["age.loss"] == {"old": "cross_entropy", "new": "focal"}
    assert own.sh("dvc", "metrics", "diff", "--json").returncode == 0
    assert own.repro() == set()  # the workspace is what the experiment left
