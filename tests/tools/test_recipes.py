"""Every recipe runs from photos to submission, and those of the reference systems hold the values that these published.

recipes/references.csv says which: recipe,parameter,value,source, the value as JSON.
"""
import json
import shutil

import pandas as pd
import pytest
import timm
import yaml

from stages.core.classes import CONTEST
from stages.core.files import read_csv
from stages.core.params import Params, parse
from stages.core.yaml_file import read_yaml
from stages.crop import crop_shape
from stages.modeling.networks import head_of, start_network
from tests.conftest import ROOT, SMALL, TINY, Project
from tools.shared.overrides import check, flatten, read_recipe, sources_of

RECIPES = sorted(file.stem for file in (ROOT / "recipes").glob("*.yaml"))
SIZES = sorted(file.stem for file in (ROOT / "recipes/runs").glob("*.yaml"))  # are put on top of recipes, and are none
REFERENCES = ["p1", "r1", "r2", "r3", "r4"]
TABLE = read_csv(ROOT / "recipes/references.csv", ["recipe", "parameter", "value", "source"])
CHEAP = ("backbone", "pretrained", "weights", "image_size", "batch", "pseudo")  # of each model: as the tiny project's
HERE = ("sample", "machine", "data__root", "data__table", "split__n_folds", "crop__height")  # and of the rest


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)


def apply(name: str, project: Project) -> dict:
    """Change the project's params.yaml as the recipe says; returns all of its values."""
    project.set(**{key.replace(".", "__"): value for key, value in read_recipe(name).items()})
    return read_yaml(project.root / "params.yaml")


@pytest.fixture
def given(tmp_path):
    """What the recipe of a name makes of params.yaml as shipped."""
    def of(name: str) -> dict:
        shutil.copy(ROOT / "params.yaml", tmp_path)
        return apply(name, Project(tmp_path))
    return of


def checked(values: dict) -> dict:
    """The values as the pipeline understands them, in the shape of params.yaml."""
    known = parse(values).model_dump(mode="json")
    return known | known["sections"]


def look_up(values: dict, key: str):
    for part in key.split("."):
        values = values[part]
    return values


@pytest.mark.parametrize("name", REFERENCES)
def test_the_recipe_of_a_reference_system_has_the_values_that_it_published(name, given):
    rows = TABLE[TABLE.recipe == name]
    assert len(rows)
    values = checked(given(name))
    wrong = {row.parameter: look_up(values, row.parameter) for row in rows.itertuples()
             if look_up(values, row.parameter) != json.loads(row.value)}
    assert not wrong


@pytest.mark.parametrize("name", REFERENCES)
def test_what_a_reference_system_published_is_said_by_its_recipe_and_not_left_to_params_yaml(name):
    said = [f"{key}." for key in read_recipe(name)]
    published = [f"{key}." for key in TABLE.parameter[TABLE.recipe == name]]
    assert not [key for key in published if not any(own.startswith(key) for own in said)]


def leaves(node: yaml.Node, *path: str):
    """The key of every value of a recipe, and the line, from 0, that it stands in."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value != "<<":
                yield from leaves(value, *path, key.value)
    else:
        yield ".".join(path), node.start_mark.line


@pytest.mark.parametrize("name", REFERENCES)
def test_what_a_reference_system_did_not_publish_is_said_to_be_so(name):
    text = (ROOT / "recipes" / f"{name}.yaml").read_text()
    published = tuple(f"{key}." for key in (*TABLE.parameter[TABLE.recipe == name], "data.root", "data.table"))
    silent = [key for key, line in leaves(yaml.compose(text)) if "#" not in text.splitlines()[line]
              and not f"{key}.".startswith(published) and not key.endswith(".weights")]
    assert not silent


def test_every_published_value_has_a_source_and_stands_once():
    assert set(TABLE.recipe) == set(REFERENCES)
    assert TABLE.source.ne("").all()
    assert not TABLE.duplicated(["recipe", "parameter"]).any()


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_names_only_parameters_that_there_are_with_values_that_are_allowed(name, given):
    here = {"data.root": "data/sample", "training.weights": None}  # whose files are there
    check(read_recipe(name) | here, read_yaml(ROOT / "params.yaml"), sources_of([name]))
    assert parse(given(name)).models


@pytest.mark.parametrize("name", RECIPES)
def test_the_networks_of_a_recipe_take_its_photos_and_its_head_and_have_the_weights_that_it_asks_for(name, given):
    p = parse(given(name))
    height, width = crop_shape(p.crop)
    tried = set()
    for model in p.models:
        section = p.sections[model]
        assert timm.is_model_pretrained(section.backbone) or not section.pretrained
        network = section.backbone, section.image_size, head_of(section), section.heads
        if network not in tried:
            tried.add(network)
            size = section.image_size, round(section.image_size * width / height)
            start_network(model, section.model_copy(update={"pretrained": False, "weights": None}), size)


def make_cheap(project: Project) -> tuple[Params, set[str]]:
    """Keep what the project's params.yaml asks for, but for a few seconds' training on a few drawn people.

    Returns all parameters, and the names of those that were put in.
    """
    p = parse(read_yaml(project.root / "params.yaml"))
    cheap = {key: value for key, value in SMALL.items() if key.startswith(HERE)}
    cheap["folds"] = [fold for fold in p.folds if fold < SMALL["split__n_folds"]] or [0]
    for model, section in p.sections.items():
        cheap |= {f"{model}__{key}": TINY[key] for key in CHEAP}
        cheap[f"{model}__epochs"] = 1 + max(section.warmup, section.freeze_epochs)
    project.set(**cheap)
    return parse(read_yaml(project.root / "params.yaml")), {key.replace("__", ".") for key in cheap}


def used(project: Project) -> dict:
    """The parameters, flattened, that the stages of the last run read, as dvc.lock has them."""
    stages = set(project.sh("dvc", "stage", "list", "--name-only").stdout.split()) - {"report"}  # it did not run
    lock = yaml.safe_load((project.root / "dvc.lock").read_text())["stages"]
    return flatten({key: value for stage in stages for key, value in lock[stage]["params"]["params.yaml"].items()})


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*RECIPES} - {*SIZES}))
def test_a_recipe_runs_from_photos_to_submission_with_its_own_switches(name, own):
    apply(name, own)
    p, put_in = make_cheap(own)
    shutil.rmtree(own.root / "reports")  # so that what lies there in the end is this run's, whatever a recipe changes
    assert "evaluate" in own.repro("evaluate")  # all but the page

    info = pd.read_csv(own.root / "data/sample/eval/info.csv")
    submitted = pd.read_csv(own.root / "reports/submission.csv")
    assert list(submitted.columns) == list(info.columns)
    assert list(submitted.ImageID) == list(info.ImageID)
    assert set(submitted.ans) <= set(range(len(CONTEST.names)))

    in_force = used(own)
    idle = ("machine", *(model for model in p.sections if model not in p.models))  # what no stage of this run reads
    for key, value in read_recipe(name).items():
        if key not in put_in and key.removeprefix("predict.").split(".")[0] not in idle:
            assert in_force[key] == value, key
