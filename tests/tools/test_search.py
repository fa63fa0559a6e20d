"""A search tries values that the schema allows, each as an experiment, and goes on where it was killed."""
import json

import pytest
import yaml
from optuna.trial import TrialState

from stages.core.errors import UserError
from stages.core.params import FILE, read_params
from stages.core.yaml_file import read_yaml
from tests.conftest import ROOT
from tests.sections import SHIPPED
from tools import search
from tools.shared.overrides import check
from tools.shared.search_space import SPACES, read_space

SPACE = "loss: [focal, cross_entropy]\nlr: {low: 1.0e-4, high: 1.0e-2, log: true}\nepochs: {low: 1, high: 3}\n"


@pytest.fixture
def folder(here):
    """A folder with params.yaml and a space, where nothing can run."""
    (here / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (here / SPACES).mkdir(parents=True)
    (here / SPACES / "default.yaml").write_text(SPACE)
    (here / search.LOGS).mkdir(parents=True)
    return here


@pytest.fixture
def trials(folder, monkeypatch):
    """In the place of experiments: the overrides of each, in a list; the score is lr, and `trials.ends` says how one ends."""
    class Trials(list):
        ends = staticmethod(lambda number: True)

    trials = Trials()

    def run_trial(experiment, overrides):
        now = {f"age.{name}": value for name, value in read_params().sections["age"].model_dump(mode="json").items()}
        assert not any(overrides[key] == now[key] for key in overrides)  # DVC would train anew for [light] in place of light
        trials.append(now | overrides)
        return trials.ends(len(trials))

    monkeypatch.setattr(search, "run_trial", run_trial)
    monkeypatch.setattr(search, "free_name", lambda name: name)
    monkeypatch.setattr(search, "git", lambda *words: "")
    monkeypatch.setattr(search, "score_of", lambda experiment, attribute: trials[-1]["age.lr"])
    return trials


def go(number: int):
    section = search.section_of("age")
    space = read_space("default", "age", section)
    study = search.open_study("age", space, section)
    search.search(study, space, "age", section, number)
    return study


def test_every_trial_is_allowed_and_within_the_space_and_the_first_is_what_params_yaml_says(trials):
    go(12)
    age = read_params().sections["age"]
    assert (trials[0]["age.loss"], trials[0]["age.lr"]) == (age.loss, age.lr)  # its 8 epochs are not in the space
    for overrides in trials:
        check(overrides | {"data.root": "data/sample"}, read_yaml(FILE), {})
        assert overrides["age.loss"] in ("focal", "cross_entropy")
        assert 1e-4 <= overrides["age.lr"] <= 1e-2
        assert overrides["age.epochs"] in (1, 2, 3)
    assert {overrides["age.loss"] for overrides in trials} == {"focal", "cross_entropy"}


def test_a_value_may_be_written_in_any_form_that_params_yaml_takes(trials, folder):
    space = "augment: [r3, light, [light, erasing]]\nlr: {low: 1.0e-4, high: 1.0e-2}\n"
    (folder / SPACES / "default.yaml").write_text(space)
    go(1)
    assert trials[0]["age.augment"] == read_params().sections["age"].augment == ["light"]


def test_it_learns_where_the_good_values_are(trials):
    go(40)
    later = [overrides["age.lr"] for overrides in trials[20:]]
    earlier = [overrides["age.lr"] for overrides in trials[1:10]]
    assert sum(later) / len(later) > sum(earlier) / len(earlier)


def test_a_search_that_was_killed_tries_again_what_was_running_and_ends_with_as_many(trials):
    def killed(number):
        if number == 3:
            raise KeyboardInterrupt
        return True

    trials.ends = killed
    with pytest.raises(KeyboardInterrupt):
        go(5)
    running = trials[-1]
    trials.ends = lambda number: True
    study = go(5)
    assert trials[3] == running
    assert len(trials) == 6
    assert len(study.get_trials(states=[TrialState.COMPLETE])) == 5
    go(5)
    assert len(trials) == 6  # nothing is left to do


def test_a_search_that_goes_on_tries_other_values_than_those_it_began_with(trials):
    for number in range(1, 6):
        go(number)
    assert len({overrides["age.lr"] for overrides in trials}) == len(trials) == 5


def test_a_trial_that_fails_is_named_and_counted_and_the_others_go_on(trials, capsys):
    trials.ends = lambda number: number != 2
    study = go(4)
    assert len(trials) == 4
    assert "search-age-1: failed, see logs/search/search-age-1.log" in capsys.readouterr().out
    assert "3 finished, 1 failed, 0 refused" in search.report(study, "age")


def test_a_search_of_which_no_trial_finished_says_where_to_look(trials):
    trials.ends = lambda number: False
    with pytest.raises(UserError, match="no trial finished: 0 finished, 2 failed, 0 refused; see logs/search"):
        search.report(go(2), "age")


def test_a_combination_that_the_schema_refuses_does_not_run(trials, folder, capsys):
    (folder / SPACES / "default.yaml").write_text("lr: {low: 1.0e-4, high: 1.0e-2}\nwarmup: {low: 0, high: 7}\n"
                                                         "epochs: {low: 1, high: 8}\nschedule: [cosine]\n")
    study = go(12)
    refused = study.get_trials(states=[TrialState.PRUNED])
    assert refused and len(trials) == 12 - len(refused)
    assert all(overrides["age.warmup"] < overrides["age.epochs"] for overrides in trials)
    assert capsys.readouterr().out.count("refused: trial ") == len(refused)


def test_a_change_of_the_workspace_ends_the_search_and_the_trial_is_tried_again(trials, monkeypatch):
    now = []
    monkeypatch.setattr(search, "changes", lambda commit, beside: str(now))
    trials.ends = lambda number: number != 2 or now.append("an edit") is None
    with pytest.raises(UserError, match="search-age-1: params.yaml, a table that it names, .* changed while it ran"):
        go(3)
    assert go(3).get_trials(states=[TrialState.COMPLETE])
    assert len(trials) == 4
    assert trials[2] == trials[1]


def test_an_edit_of_what_decides_a_result_is_a_change_and_one_of_another_file_is_none(here):
    (here / "stages").mkdir()
    for file in ("params.yaml", "README.md", "mine.csv", ".gitignore"):
        (here / file).write_text("mine.csv\n")
    search.git("init", "-q")
    search.git("add", "-A")
    search.git("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "before")
    commit = search.git("rev-parse", "HEAD")
    (here / "README.md").write_text("after")
    (here / "untracked.txt").write_text("after")
    start = search.changes(commit, ["mine.csv"])
    seen = [start]
    for file in ("params.yaml", "mine.csv", "stages/new.py", "stages/new.py"):
        before = (here / file).read_text() if (here / file).is_file() else ""
        (here / file).write_text(f"{before}after\n")
        seen.append(search.changes(commit, ["mine.csv"]))
    assert len(set(seen)) == len(seen)
    (here / "README.md").write_text("after, too")
    assert search.changes(commit, ["mine.csv"]) == seen[-1]


def test_a_rate_of_more_than_three_digits_is_tried_as_it_is(trials, folder):
    text = (ROOT / "params.yaml").read_text()
    (folder / "params.yaml").write_text(text.replace(f"lr: {SHIPPED['age']['lr']}", "lr: 0.0012345"))
    assert read_params().sections["age"].lr == 0.0012345
    go(2)
    assert trials[0]["age.lr"] == 0.0012345
    assert float(f"{trials[1]['age.lr']:.3g}") == trials[1]["age.lr"]


def test_a_value_that_params_yaml_leaves_null_is_drawn(trials, folder):
    (folder / SPACES / "default.yaml").write_text("head_lr: {low: 1.0e-4, high: 1.0e-2, log: true}\n")
    assert read_params().sections["age"].head_lr is None
    go(2)
    assert all(1e-4 <= trial["age.head_lr"] <= 1e-2 for trial in trials)


def test_one_model_has_one_search_at_a_time(folder):
    again = pytest.raises(UserError, match="age: another search of it runs in this folder")
    with search.exclusive("age"), search.exclusive("gender"), again, search.exclusive("age"):
        pass
    with search.exclusive("age"):  # the first has ended
        pass


@pytest.mark.parametrize("change", ["space", "parameter"])
def test_another_question_is_another_study(trials, folder, change):
    before = go(2).study_name
    if change == "space":
        (folder / SPACES / "default.yaml").write_text(SPACE.replace("high: 3", "high: 4"))
    else:
        (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text().replace("margin: 0.25", "margin: 0.5"))
    assert go(2).study_name != before
    assert len(trials) == 4


def test_the_device_is_not_part_of_the_question(trials, folder):
    before = go(1).study_name
    (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text().replace("device: auto", "device: cpu"))
    assert go(1).study_name == before


def test_photos_that_git_does_not_track_are_taken_along(folder):
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["data"] |= {"root": "data/mine", "table": "labels.csv"}
    params["labels"]["corrections"] = "data/corrections/mine.csv"
    params["mask"]["weights"] = params["age"]["weights"] = "face.safetensors"
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    taken = ["data/mine", "data/corrections/mine.csv", "face.safetensors"]
    assert search.copy_options() == [word for file in taken for word in ("--copy-paths", file)]
    (folder / "data").mkdir()
    (folder / "data/mine.dvc").touch()
    assert search.copy_options() == [word for file in taken[1:] for word in ("--copy-paths", file)]


@pytest.mark.parametrize("lines, said", [
    ("los: [focal]", "los: no parameter of age that can be searched"),
    ("attribute: [age, gender]", "attribute: no parameter of age that can be searched"),
    ("loss: [focal, fokal]", "loss = ['focal', 'fokal']: age.loss = 'fokal': input should be "),
    ("lr: {low: -1.0, high: 1.0}", "age.lr = -1.0"),
    ("lr: {low: 2.0, high: 1.0}", "lr = {'low': 2.0, 'high': 1.0}: "),
    ("lr: {low: a, high: 1}", "lr = {'low': 'a', 'high': 1}: "),
    ("lr: {low: 1}", "must be a list of values, or {low: , high: }"),
    ("lr: 3", "must be a list of values, or {low: , high: }"),
    ("- lr", "must hold lines"),
])
def test_a_wrong_space_is_one_line_before_anything_runs(trials, folder, lines, said):
    (folder / SPACES / "default.yaml").write_text(lines)
    with pytest.raises(UserError) as error:
        go(1)
    assert str(error.value).startswith("recipes/search/default.yaml: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert not trials


@pytest.mark.parametrize("words, line", [
    (["nose"], "error: 'nose': no model that params.yaml trains; models: mask, gender, age\n"),
    (["age", "--trials", "0"], "error: --trials = 0: must be 1 or more\n"),
    (["age", "--space", "none"], "error: recipes/search/none.yaml: no such space; there are age_groups, default\n"),
])
def test_a_wrong_word_is_one_line_and_nothing_runs(own, words, line):
    done = own.python("tools.search", *words)
    assert (done.returncode, done.stderr) == (1, line)
    assert own.sh("dvc", "exp", "list", "--name-only").stdout == ""
    assert not (own.root / search.LOGS).exists()


@pytest.mark.parametrize("space, model", [("default", "mask"), ("default", "gender"), ("default", "age"),
                                          ("age_groups", "age")])
def test_every_space_is_allowed_by_the_schema(space, model, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert read_space(space, model, read_params().sections[model])


@pytest.mark.slow
def test_with_dvc_each_trial_is_an_experiment_and_the_workspace_stays_as_it_is(own):
    (own.root / "recipes/search/default.yaml").write_text("loss: [cross_entropy, focal]\n")
    own.set(age__seed=5)  # an edit that is not committed
    before = {file: (own.root / file).read_bytes() for file in ("params.yaml", "dvc.lock", "reports/metrics.json")}
    done = own.python("tools.search", "age", "--trials", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {file: (own.root / file).read_bytes() for file in before} == before
    log = (own.root / "logs/search/search-age-0.log").read_text()
    assert "Running stage 'train@age-0'" in log and "Running stage 'train@gender-0'" not in log
    table = done.stdout[done.stdout.index("experiment  "):].splitlines()
    rows = [line.split() for line in table if line.startswith("search-age-")]
    assert {row[0] for row in rows} == set(own.sh("dvc", "exp", "list", "--name-only").stdout.split())
    assert "2 finished, 0 failed, 0 refused" in done.stdout
    best = next(line for line in done.stdout.splitlines() if "dvc exp apply" in line).split(": ")[-1].split()
    assert own.sh(*best).returncode == 0
    assert yaml.safe_load((own.root / "params.yaml").read_text())["age"]["seed"] == 5
    score = json.loads((own.root / "reports/metrics.json").read_text())["age"]["f1"]
    assert f"{score:.4f}" == rows[0][1] == max(row[1] for row in rows)
