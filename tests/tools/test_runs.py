"""A comparison runs what has no result yet, loses no run in silence, and its table is made of the experiments alone."""
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from stages.core.classes import CONTEST
from stages.core.command_line import LOG
from stages.core.errors import UserError
from stages.core.yaml_file import load
from tests.conftest import ROOT, Project
from tools import runs as comparison
from tools.results import Result, replace_table, table_of
from tools.runs import RUNS, TRAINED, differing_keys, experiment_of, note_seconds, read_runs
from tools.shared.learning_curves import with_new_models
from tools.shared.overrides import apply_overrides, check, committed, read_words, sources_of


@pytest.fixture(scope="module")
def compared(ran, tmp_path_factory):
    """The tiny project after a comparison of four runs, one of which fails; and what the tools printed."""
    project = ran.copy(tmp_path_factory.mktemp("compared") / "project")
    (project.root / "recipes/tiny.yaml").write_text("mask: {seed: 1}\ngender: {seed: 1}\nage: {epochs: 2}\n")
    (project.root / "recipes/plain.yaml").write_text("models: [mask, gender, age]\n")
    (project.root / "recipes/runs/tiny.yaml").write_text(
        "base: plain\nfocal: plain age.loss=focal\nbroken: plain age.weights=params.yaml\n"
        "two folds: plain folds=[0,1]\n")
    for size in RUNS.glob("*.yaml"):
        (project.root / size).unlink()
    project.git("add", "-A")
    project.git("commit", "-qm", "what is compared")
    project.set(age__mixing="mixup")  # as one might be trying it, or as an experiment that was killed may have left it
    project.first = project.python("tools.runs", "tiny")
    project.second = project.python("tools.runs", "tiny")
    (project.root / "reports/results.md").write_text("# Before\n<!-- tiny -->\nold\n<!-- end of tiny -->\nAfter\n")
    project.results = project.python("tools.results")
    return project


@pytest.mark.slow
def test_a_run_that_fails_is_named_and_the_others_go_on(compared):
    assert compared.first.returncode == 1
    assert compared.first.stderr.splitlines()[-1] == (
        "error: 1 of 4 runs failed: broken; the same command tries them again")
    assert "error: params.yaml: age.weights: 'params.yaml' " in (compared.root / "logs/runs/tiny-broken.log").read_text()


@pytest.mark.slow
def test_the_same_command_runs_only_what_has_no_result(compared):
    assert "3 of 4 runs have their result" in compared.second.stdout
    assert (compared.root / "logs/runs/tiny-focal.log").read_text().count("dvc exp run") == 1
    assert (compared.root / "logs/runs/tiny-broken.log").read_text().count("dvc exp run") == 2


@pytest.mark.slow
def test_every_run_starts_from_the_commits_parameters_and_mine_are_left_as_they_were(compared):
    left = yaml.safe_load((compared.root / "params.yaml").read_text())["age"]
    assert (left["loss"], left["mixing"]) == ("cross_entropy", "mixup")
    shown = compared.sh("git", "show", f"{revision_of(compared, 'tiny-two-folds')}:params.yaml").stdout
    ran = yaml.safe_load(shown)["age"]
    assert (ran["loss"], ran["mixing"]) == ("cross_entropy", "none")  # the run before it had focal, and no commit has mixup
    assert "params.yaml differs from the last commit in age.mixing; every run starts from the commit's" in compared.first.stdout


def test_while_runs_begin_from_the_commit_my_parameters_lie_beside_them(own, monkeypatch):
    monkeypatch.chdir(own.root)
    monkeypatch.setattr("sys.argv", ["tools.runs", "screening"])
    own.set(combine__vote="hard")
    mine, kept = (own.root / "params.yaml").read_text(), []
    monkeypatch.setattr(comparison, "run_missing", lambda size, runs: kept.extend(
        file.read_text() for file in (own.root / comparison.LOGS).glob("params-*.yaml")))
    comparison.main()
    assert kept == [mine]
    assert not list((own.root / comparison.LOGS).glob("params-*.yaml"))
    assert (own.root / "params.yaml").read_text() == mine


@pytest.mark.slow
def test_a_comparison_that_is_killed_lists_its_run_and_goes_on_where_it_was(own):
    for size in (own.root / RUNS).glob("*.yaml"):
        size.unlink()
    (own.root / "recipes/tiny.yaml").write_text("age: {epochs: 9, patience: 9}\n")
    (own.root / "recipes/plain.yaml").write_text("models: [mask, gender, age]\n")
    (own.root / "recipes/runs/tiny.yaml").write_text("base: plain\n")
    (own.root / "reports/results.md").write_text("<!-- tiny -->\n<!-- end of tiny -->\n")
    own.git("add", "-A")
    own.git("commit", "-qm", "what is compared")
    command, path = [sys.executable, "-m", "tools.runs", "tiny"], f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    running = subprocess.Popen(command, cwd=own.root, env=os.environ | {"PATH": path}, start_new_session=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None and not (own.root / "models/.resume/age-0.pt").exists():
        time.sleep(0.05)
    assert running.poll() is None
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()

    listed = own.python("tools.results")
    assert "tiny: 0 of 1 runs" in listed.stdout, listed.stderr
    again = own.python("tools.runs", "tiny")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "going on after epoch" in (own.root / "logs/runs/tiny-base.log").read_text()
    assert "tiny: 1 of 1 runs" in own.python("tools.results").stdout


def revision_of(project, name: str) -> str:
    refs = project.sh("git", "for-each-ref", "refs/exps", "--format=%(refname)").stdout.split()
    return next(ref for ref in refs if ref.endswith(f"/{name}"))


@pytest.mark.slow
def test_the_table_has_a_line_for_every_run_and_says_what_it_is_worth(compared):
    assert compared.results.returncode == 0, compared.results.stderr
    report = (compared.root / "reports/results.md").read_text()
    assert report.startswith("# Before\n<!-- tiny -->\n| run | macro F1 |")
    assert report.endswith("<!-- end of tiny -->\nAfter\n")
    rows = {cells[1]: cells for line in report.splitlines()[4:8] for cells in [[c.strip() for c in line.split("|")]]}
    assert list(rows) == ["base", "focal", "broken", "two folds"]
    assert rows["broken"][2] == "failed, or still running"
    assert rows["two folds"][3] == "other people or labels"
    assert re.fullmatch(r"[+-]\d\.\d{3} \([+-]\d\.\d{3} to [+-]\d\.\d{3}\)( \*)?", rows["focal"][3])
    assert rows["focal"][8] == "`make recipe NAME=\"plain tiny\" SET=\"age.loss=focal\"`"


@pytest.mark.slow
def test_seconds_of_training_are_those_of_the_models_of_a_run(compared):
    times = pd.read_csv(compared.root / "logs/times.csv", header=None, names=range(8))
    trained = times[(times[2] == "stages.train") & (times[3] == "age")]
    report = (compared.root / "reports/results.md").read_text().splitlines()
    cells = {line.split("|")[1].strip(): line.split("|")[7].strip() for line in report[4:8]}
    assert float(cells["two folds"]) > float(cells["base"]) > float(trained[5].min())


def test_a_result_of_other_parameters_than_the_run_has_today_is_no_result(monkeypatch):
    monkeypatch.chdir(ROOT)
    labels = pd.DataFrame({"photo": ["a", "b"], "person": ["p", "q"], "true": [0, 1], "guess": [0, 2]})
    words = ["base", "screening", "age.loss=focal"]

    def result(others: dict):
        return Result(labels, apply_overrides(read_words(words) | others, load(committed()), {}), 1.0, {})

    results = {"same": result({}), "loss": result({"age.loss": "f1"}), "detection": result({"detect.sure_votes": 9}),
               "unused": result({"joint.lr": 0.5, "machine.workers": 9, "sample.seed": 9})}
    table = table_of("screening", dict.fromkeys(results, words), results).splitlines()
    assert table[2].startswith("| same | 0.")
    assert table[3].startswith("| loss | its experiment has another age.loss; remove it")
    assert table[4].startswith("| detection | its experiment has another detect.sure_votes; remove it")
    assert table[5].startswith("| unused | 0.")


def test_the_seeds_of_a_setting_make_one_row_of_their_mean(monkeypatch):
    monkeypatch.chdir(ROOT)
    people = pd.DataFrame({"photo": list("abcd"), "person": list("ppqq"), "true": [0, 1, 0, 1]})
    runs = {name: ["base", "screening", f"training.seed={seed}"] for name, seed in
            (("base", 0), ("base, seed 1", 1), ("other", 2), ("other, seed 1", 3), ("other, seed 2", 4))}
    guesses = {"base": [0, 1, 0, 1], "base, seed 1": [2, 2, 2, 2], "other": [2, 2, 2, 2], "other, seed 2": [2, 2, 2, 2]}
    params = {name: apply_overrides(read_words(words), load(committed()), {}) for name, words in runs.items()}
    results = {name: Result(people.assign(guess=guess), params[name], 10.0, {}) for name, guess in guesses.items()}
    base, other = (line.split(" | ") for line in table_of("screening", runs, results).splitlines()[2:])
    all_right = 2 / 18  # of 18 classes, these two
    assert base[0] == "| base (2 of 2 seeds)"
    assert base[1].startswith(f"{all_right / 2:.3f} (")
    assert base[1].endswith(f"; {all_right:.3f}, 0.000")
    assert other[0] == "| other (2 of 3 seeds)"
    assert other[2].startswith(f"-{all_right / 2:.3f} (")
    assert base[6] == "10"
    assert base[7] == '`make recipe NAME="base screening" SET="training.seed=0"` |'


def test_no_run_is_compared_with_a_base_of_other_parameters(monkeypatch):
    monkeypatch.chdir(ROOT)
    labels = pd.DataFrame({"photo": ["a", "b"], "person": ["p", "q"], "true": [0, 1], "guess": [0, 2]})
    runs = {"base": ["base", "screening"], "focal": ["base", "screening", "age.loss=focal"]}
    results = {name: Result(labels, apply_overrides(read_words(words), load(committed()), {}), 1.0, {})
               for name, words in runs.items()}
    row = table_of("screening", runs, results).splitlines()[3].split("|")
    assert row[3].strip() == "+0.000 (+0.000 to +0.000)"
    results["base"].params["mask"]["seed"] = 9
    row = table_of("screening", runs, results).splitlines()[3].split("|")
    assert row[3].strip() == ""


def test_a_rate_that_dvc_writes_as_text_is_the_same_rate(monkeypatch):
    monkeypatch.chdir(ROOT)
    words = ["base", "screening", "age.lr=0.00003"]
    params = apply_overrides(read_words(words), load(committed()), {})
    assert differing_keys(load(yaml.safe_dump(params).replace("lr: 3.0e-05", "lr: 3e-05")), words) == []


def test_a_parameter_that_an_experiment_did_not_know_counts_where_its_run_names_it(monkeypatch):
    monkeypatch.chdir(ROOT)
    params = apply_overrides(read_words(["base", "screening"]), load(committed()), {})
    del params["training"]["year_sigma"]
    assert differing_keys(params, ["base", "screening"]) == []
    assert differing_keys(params, ["base", "screening", "age.year_sigma=9"]) == ["age.year_sigma"]


def test_an_entry_of_a_map_counts(monkeypatch):
    monkeypatch.chdir(ROOT)
    params = apply_overrides(read_words(["base", "screening"]), load(committed()), {})
    params["combine"]["weights"] = {"age": 2}
    assert differing_keys(params, ["base", "screening"]) == ["combine.weights"]


@pytest.mark.parametrize("text, said", [
    ("base: base\nbase: joint\n", "'base' stands twice, the second time in line 2"),
    ("age .5: base\nage 5: base\n", "age .5 and age 5 make one name of an experiment, tiny-age-5"),
    ("base: base age.augment=[\"light\n", "base: .*No closing quotation"),
    ("{}\n", "must hold lines"),
])
def test_a_list_of_runs_that_would_lose_one_is_one_line(here, text, said):
    (here / RUNS).mkdir(parents=True)
    (here / RUNS / "tiny.yaml").write_text(text)
    with pytest.raises(UserError, match=f"^recipes/runs/tiny.yaml: .*{said}") as error:
        read_runs("tiny")
    assert "\n" not in str(error.value)


def test_seconds_of_a_training_that_went_on_from_a_checkpoint_are_not_taken_for_all_of_it(here):
    for folder in ("logs/runs", "models"):
        (here / folder).mkdir(parents=True)
    stages = {f"train@{model}-0": {"outs": [{"md5": model}]} for model in ("mask", "age")}
    (here / "dvc.lock").write_text(yaml.safe_dump({"stages": stages}))
    times = [f"2026-01-02T03:04:0{i},host,stages.train,{model},0,{i}.5" for i, model in ((1, "mask"), (5, "age"), (7, "mask"))]
    (here / LOG).write_text("\n".join([*times, "2026-01-02T03:05:00,host,stages.tr"]))  # a line half written
    note_seconds("2026-01-02T03:04:03", "going on after epoch 2, from models/.resume/age-0.pt\n")
    assert (here / TRAINED).read_text() == "mask,7.5\n"


def test_a_size_without_experiments_keeps_its_table(own):
    (own.root / "reports/results.md").write_text("".join(f"<!-- {size.stem} -->\nold\n<!-- end of {size.stem} -->\n"
                                                         for size in (own.root / RUNS).glob("*.yaml")))
    before = (own.root / "reports/results.md").read_text()
    done = own.python("tools.results")
    assert done.returncode == 0, done.stderr
    assert "so its table stays as it is" in done.stdout
    assert (own.root / "reports/results.md").read_text() == before


def test_a_run_that_trained_nothing_of_its_own_has_no_curves_of_its_own():
    base = {"mask": [0.1, 0.2], "age": [0.3, 0.4]}
    runs = {"base": base, "offsets": base, "focal": base | {"age": [0.3, 0.5]}, "no mask": {"age": [0.3, 0.5]}}
    assert list(with_new_models(runs)) == ["base", "focal"]


@pytest.mark.slow
def test_what_each_run_said_is_kept_for_clones_without_the_experiments(compared, tmp_path):
    by_experiment = compared.python("tools.compare", "tiny-base", "tiny-focal")
    assert by_experiment.returncode == 0, by_experiment.stderr
    compared.git("add", "reports")
    compared.git("commit", "-qm", "results")
    compared.git("clone", "-q", ".", str(tmp_path / "clone"))
    by_file = Project(tmp_path / "clone").python("tools.compare", "tiny-base", "tiny-focal")
    assert by_file.stdout == by_experiment.stdout, by_file.stderr
    assert "tiny-two-folds" not in pd.read_csv(compared.root / "reports/tiny-labels.csv")  # it scored other people


@pytest.mark.slow
def test_the_numbers_of_the_table_are_those_of_the_experiments(compared):
    lines = (compared.root / "reports/results.md").read_text().splitlines()
    rows = {cells[1]: cells for line in lines[4:8] for cells in [[c.strip() for c in line.split("|")]]}
    metrics = {}
    for name in ("base", "focal"):
        shown = compared.sh("git", "show", f"{revision_of(compared, f'tiny-{name}')}:reports/metrics.json").stdout
        metrics[name] = json.loads(shown)
        keys = [metrics[name], *(metrics[name][attribute] for attribute in CONTEST.attributes)]
        assert [cell.split()[0] for cell in (rows[name][2], *rows[name][4:7])] == [f"{each['f1']:.3f}" for each in keys]
        span = metrics[name]["interval"]["f1"]
        assert rows[name][2].endswith(f"({span['low']:.3f} to {span['high']:.3f})")
    assert rows["focal"][3].split()[0] == f"{metrics['focal']['f1'] - metrics['base']['f1']:+.3f}"


@pytest.mark.slow
def test_the_curves_are_drawn(compared):
    assert (compared.root / "reports/tiny-curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("size", sorted(file.stem for file in (ROOT / RUNS).glob("*.yaml")))
def test_every_run_that_is_listed_is_allowed_and_has_a_name_of_its_own(size, monkeypatch):
    monkeypatch.chdir(ROOT)
    runs = read_runs(size)
    assert len({experiment_of(size, name) for name in runs}) == len(runs)
    for words in runs.values():
        check(read_words(words) | {"data.root": "data/sample", "training.weights": None}, load(committed()), sources_of(words))


def test_a_wrong_key_stops_before_anything_runs(own):
    (own.root / "recipes/runs/screening.yaml").write_text("base: base\ntypo: base age.los=focal\n")
    (own.root / "data/screening/train").mkdir(parents=True)
    (own.root / "data/screening/train/train.csv").touch()
    done = own.python("tools.runs", "screening")
    assert done.returncode == 1
    assert done.stderr == "error: recipes/runs/screening.yaml: typo: age.los: no such parameter in params.yaml\n"
    assert own.sh("dvc", "exp", "list", "--name-only").stdout == ""


def test_a_size_that_is_not_there_names_those_there_are(monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(UserError, match=r"recipes/runs/huge.yaml: no such list of runs; there are .*screening"):
        read_runs("huge")


def test_a_report_without_a_place_for_the_table_is_one_line():
    with pytest.raises(UserError, match="has no lines <!-- tiny --> and <!-- end of tiny -->"):
        replace_table("no place", "tiny", "| a |")
