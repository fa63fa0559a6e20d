"""DVC sees every parameter: another value makes exactly the stages stale that read it, and is another key of the run cache.

The run cache leaves keys called `size` and `nfiles` out of its key, and would give back the outs of another value.
"""
import copy
import shutil
from functools import cache
from pathlib import Path

import pytest
import yaml
from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo
from dvc.stage.cache import _get_cache_hash
from dvc.stage.serialize import to_single_stage_lockfile
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import loads_yaml

from tests.conftest import ROOT
from tests.sections import SHIPPED

MODELS = ("mask", "gender", "age")
READ_BY = {  # key, or section: the stages that read it; the longest that fits counts
    "classes": {"index", "split", "combine", "evaluate", "report"} | {f"labels@{model}" for model in MODELS},
    "models": {"combine", "evaluate", "report"}, "folds": {"combine", "evaluate", "report"},
    "refit": {"combine"}, "sample": {"data/dvc.yaml:sample"},
    "paint": set(), "data.root": {"index", "detect", "crop"},
    "data.table": {"index", "combine"}, "data.layout": {"index"}, "data.columns": {"index"},
    "labels": {f"labels@{model}" for model in MODELS}, "split": {"split"},
    "detect": {"detect"}, "crop": {"crop"}, "export": set(),
    "training": {f"train@{model}-0" for model in MODELS}, "joint": set(), "predict.joint": set(),
    "combine": {"combine", "report"}, "machine": set(),
    **{model: {f"train@{model}-0"} for model in MODELS},
    **{f"{model}.{key}": {f"train@{model}-0", f"labels@{model}"} for model in MODELS for key in ("attribute", "pseudo")},
    **{f"predict.{model}": {f"predict@{model}-0"} for model in MODELS},
}


def leaves(values: dict, *path: str):
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, *path, key)
        else:
            yield ".".join((*path, key))


LEAVES = list(leaves(SHIPPED))


@pytest.fixture(scope="module")
def repo(tmp_path_factory):
    """The pipeline and the lock as committed, without its data: what DVC needs to say what a parameter makes stale."""
    root = tmp_path_factory.mktemp("lock")
    for file in ("dvc.yaml", "dvc.lock", "params.yaml", "data/dvc.yaml", "data/dvc.lock"):
        (root / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, root / file)
    Repo.init(str(root), no_scm=True).close()
    with Repo(str(root)) as opened:
        yield opened


@cache
def parsed(text: str) -> dict:
    return loads_yaml(text)


@pytest.fixture
def params(repo, monkeypatch):
    """The path of params.yaml, which is as shipped again after the test. DVC parses it once, not once a stage."""
    monkeypatch.chdir(repo.root_dir)
    monkeypatch.setattr("dvc.dependency.param.load_path", lambda path, *_, **__: parsed(Path(path).read_text()))
    yield (file := Path(repo.root_dir, "params.yaml"))
    shutil.copy(ROOT / "params.yaml", file)


def stale(repo) -> set[str]:
    """The stages of which a parameter differs from what it was when they were saved."""
    return {stage.addressing for stage in repo.index.stages if any(dep.workspace_status() for dep in of_params(stage))}


def of_params(stage) -> list[ParamsDependency]:
    return [dep for dep in stage.deps if isinstance(dep, ParamsDependency)]


def keys(repo) -> dict[str, str]:
    """The run cache's key of each stage, with the parameters that it would run with now."""
    found = {}
    for stage in repo.index.stages:
        for dep in of_params(stage):
            dep.save()
        found[stage.addressing] = _get_cache_hash(to_single_stage_lockfile(stage), key=True)
    return found


def changed(key: str) -> dict:
    """params.yaml as shipped, with another value of one key."""
    values = copy.deepcopy(SHIPPED)
    *path, last = key.split(".")
    section = values
    for part in path:
        section = section[part]
    old = section[last]
    section[last] = old + 1 if type(old) in (int, float) else not old if isinstance(old, bool) else f"{old} another"
    return values


def test_nothing_is_stale_as_committed(repo, params):
    assert stale(repo) == set()


@pytest.mark.parametrize("key", LEAVES)
def test_another_value_of_a_parameter_is_seen_by_the_stages_that_read_it_and_by_no_other(repo, params, key):
    wanted = READ_BY[max((prefix for prefix in READ_BY if f"{key}.".startswith(f"{prefix}.")), key=len)]
    before = keys(repo)
    params.write_text(yaml.safe_dump(changed(key), sort_keys=False))
    assert stale(repo) == wanted
    after = keys(repo)
    assert {name for name in before if before[name] != after[name]} == wanted


@pytest.mark.parametrize("override", ["age.loss=focal", "crop.margin=0.5", "training.ema=0.9", "data.root=data/mine"])
def test_an_experiment_changes_one_line_of_params_yaml(params, override):
    before = params.read_text().splitlines()
    apply_overrides(str(params), [override])
    after = params.read_text().splitlines()
    assert len(after) == len(before)
    assert sum(old != new for old, new in zip(before, after)) == 1
