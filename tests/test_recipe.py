"""A recipe is checked whole before anything runs, and becomes one DVC experiment."""
import json

import pytest
import yaml

from stages.lib.errors import UserError
from tests.conftest import ROOT
from tools.recipe import flat, overridden, read_recipe, read_settings

RECIPES = sorted(file.stem for file in (ROOT / "recipes").glob("*.yaml"))


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_nested_overrides_become_keys():
    assert flat({"age": {"lr": 1, "drop": [[1, 2]]}, "folds": [0]}) == {"age.lr": 1, "age.drop": [[1, 2]], "folds": [0]}


def test_settings_are_read_as_yaml():
    assert read_settings(["age.lr=1e-3", "folds=[0, 1]", "data.table=null"]) == {
        "age.lr": "1e-3", "folds": [0, 1], "data.table": None}


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_allowed_by_the_schema(name):
    overridden(read_recipe(name) | {"data.root": "data/sample"}, name)


@pytest.mark.parametrize("override, named", [
    ({"age.los": "focal"}, "r: age.los: no such parameter"),
    ({"age.loss": "foc"}, "age.loss = 'foc'"),
    ({"data.root": "data/nowhere"}, "'data/nowhere' is no folder"),
    ({"age.weights": "nowhere.safetensors"}, "r: age.weights: 'nowhere.safetensors' is no file"),
    ({"data.table": "nowhere.csv"}, "r: data.table: 'nowhere.csv' is no file"),
])
def test_a_wrong_recipe_stops_before_anything_runs(override, named):
    with pytest.raises(UserError, match="^r: ") as error:
        overridden(override, "r")
    assert named in str(error.value)


def test_a_setting_that_is_no_yaml_is_one_line():
    with pytest.raises(UserError, match=r"'age.drop=\[1': .* is not YAML"):
        read_settings(["age.drop=[1"])


def test_an_unknown_recipe_names_those_there_are():
    with pytest.raises(UserError, match=r"recipes/nothing.yaml: no such recipe; there are .*base"):
        read_recipe("nothing")


def test_a_recipe_runs_as_an_experiment_of_its_name(own):
    (own.root / "recipes/mine.yaml").write_text("age: {loss: focal, drop: [[58, 59]]}\ncombine: {vote: hard}\n")
    done = own.python("tools.recipe", "mine", "age.lr=2e-3")
    assert done.returncode == 0, done.stdout + done.stderr
    params = yaml.safe_load((own.root / "params.yaml").read_text())
    assert (params["age"]["loss"], params["age"]["drop"], params["combine"]["vote"]) == ("focal", [[58, 59]], "hard")
    assert float(params["age"]["lr"]) == 0.002
    shown = own.sh("dvc", "exp", "show", "--json")
    names = [exp.get("name") for row in json.loads(shown.stdout) for exp in (row.get("experiments") or [])]
    assert "mine" in names
    assert "Running stage 'train@age-0'" in done.stdout
    assert "Running stage 'train@gender-0'" not in done.stdout  # an experiment, too, runs only what changed
    again = own.python("tools.recipe", "mine")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "--name mine-2" in again.stdout  # no result is overwritten
    assert "params.yaml differs from the last commit in age.lr, and so will mine-2" in again.stdout
