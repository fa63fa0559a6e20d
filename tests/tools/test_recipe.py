"""A recipe is checked whole before anything runs, and becomes one DVC experiment."""
import json

import pytest
import yaml

from stages.core.errors import UserError
from stages.core.params import FILE
from stages.core.yaml_file import read_yaml
from tests.conftest import ROOT, TINY
from tests.sections import SHIPPED
from tools.recipe import left_by, name_of
from tools.shared.overrides import check, flatten, read_recipe, read_settings, read_words, sources_of

RECIPES = sorted(file.stem for file in (ROOT / "recipes").glob("*.yaml"))


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_nested_overrides_become_keys():
    assert flatten({"age": {"lr": 1, "drop": [[1, 2]]}, "folds": [0]}) == {"age.lr": 1, "age.drop": [[1, 2]], "folds": [0]}


def test_settings_are_read_as_yaml():
    assert read_settings(["age.lr=1e-3", "folds=[0, 1]", "data.table=null"]) == {
        "age.lr": 1e-3, "folds": [0, 1], "data.table": None}


def test_entries_of_a_map_are_keys_and_an_empty_one_is_a_value():
    assert read_settings(["combine.weights={age: 2, mask: 1}", "joint.attribute_losses={}"]) == {
        "combine.weights.age": 2, "combine.weights.mask": 1, "joint.attribute_losses": {}}


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_allowed_by_the_schema(name):
    check(read_recipe(name) | {"data.root": "data/sample", "training.weights": None}, read_yaml(FILE), {})


@pytest.mark.parametrize("override, named", [
    ({"age.los": "focal"}, "r: age.los: no such parameter"),
    ({"age.loss": "foc"}, "r: age.loss = 'foc'"),
    ({"data.root": "data/nowhere"}, "r: data.root: 'data/nowhere' is no folder"),
    ({"age.weights": "nowhere.safetensors"}, "r: age.weights: 'nowhere.safetensors' is no file"),
    ({"age.weights": "models/pretrained/lite9.safetensors"},
     "r: age.weights: 'models/pretrained/lite9.safetensors' is no file; `make weights` brings"),
    ({"training.weights": "nowhere.safetensors"}, "r: training.weights: 'nowhere.safetensors' is no file"),
    ({"data.table": "nowhere.csv"}, "r: data.table: 'data/sample/nowhere.csv' is no file"),
])
def test_a_wrong_recipe_stops_before_anything_runs(override, named):
    with pytest.raises(UserError, match="^r: ") as error:
        check({"mask.seed": 1} | override, read_yaml(FILE), {"mask.seed": "another"} | dict.fromkeys(override, "r"))
    assert named in str(error.value)


def test_a_mistake_is_said_to_be_where_it_stands():
    words = ["base", "screening", "age.loss=focal"]
    sources = sources_of(words)
    assert sources.keys() == read_words(words).keys()
    assert (sources["models"], sources["mask.epochs"], sources["age.loss"]) == (
        "recipes/base.yaml", "recipes/screening.yaml", "age.loss=focal")
    assert sources_of(words, "recipes/runs/screening.yaml: focal")["age.loss"] == "recipes/runs/screening.yaml: focal"


def test_a_setting_that_is_no_yaml_is_one_line():
    with pytest.raises(UserError, match=r"'age.drop=\[1': .* is not YAML"):
        read_settings(["age.drop=[1"])


def test_an_unknown_recipe_names_those_there_are():
    with pytest.raises(UserError, match=r"recipes/nothing.yaml: no such recipe; there are .*base"):
        read_recipe("nothing")


@pytest.mark.parametrize("words, name", [
    (["base", "my_own", "age.lr=1"], "base-my_own"), (["age.loss=focal", "folds=[0,1]"], "age-loss-focal-folds-0-1")])
def test_an_experiment_is_named_after_its_recipes_or_else_its_values(words, name):
    assert name_of(words) == name


@pytest.mark.slow
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
    params = yaml.safe_load((own.root / "params.yaml").read_text())
    assert params["age"]["lr"] == TINY["lr"]  # what `mine` set beside the recipe is not of mine-2
    assert "params.yaml was as mine left it; mine-2 starts from that of the last commit" in again.stdout


@pytest.mark.slow
def test_one_recipe_after_another_is_what_it_would_be_by_itself(own, monkeypatch):
    (own.root / "recipes/one.yaml").write_text("combine: {vote: hard, weights: {age: 2}}\n")
    (own.root / "recipes/two.yaml").write_text("combine: {decision: offsets, weights: {gender: 3}}\n")
    for name in ("one", "two"):
        done = own.python("tools.recipe", name)
        assert done.returncode == 0, done.stdout + done.stderr
    combine = yaml.safe_load((own.root / "params.yaml").read_text())["combine"]
    assert combine == SHIPPED["combine"] | {"weights": {"gender": 3}, "decision": "offsets"}
    monkeypatch.chdir(own.root)
    assert left_by() == "two"
    own.set(combine__vote="hard")
    assert left_by() is None  # parameters of one's own stay under a recipe


@pytest.mark.slow
def test_a_map_that_the_commit_fills_is_emptied(own):
    own.set(combine__weights={"age": 2, "mask": 3})
    own.git("commit", "-qam", "weights")
    (own.root / "recipes/plain.yaml").write_text("combine: {vote: hard}\n")
    done = own.python("tools.recipe", "plain", "combine.weights={}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert yaml.safe_load((own.root / "params.yaml").read_text())["combine"]["weights"] == {}
