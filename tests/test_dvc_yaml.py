"""dvc.yaml tells the truth: what a stage imports is in its deps, and a change reruns just what depends on it."""
import ast
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

FILES = {"dvc.yaml": yaml.safe_load((ROOT / "dvc.yaml").read_text()),
         "data/dvc.yaml": yaml.safe_load((ROOT / "data/dvc.yaml").read_text())}
STAGES = {name: stage for file in FILES.values() for name, stage in file["stages"].items()}


def imports(module: Path) -> set[str]:
    """Files of the project that a module imports, at its top or within a function."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    files = {name.replace(".", "/") + ".py" for name in names if name.startswith(("stages.", "tools."))}
    return {file for file in files if (ROOT / file).is_file()}


def closure(file: str) -> set[str]:
    seen: set[str] = set()
    todo = {file}
    while todo:
        seen.add(one := todo.pop())
        todo |= imports(ROOT / one) - seen
    return seen


def module_of(stage: str) -> str:
    return "stages/predict.py" if stage == "predict_refit" else f"stages/{stage}.py"


@pytest.mark.parametrize("name", STAGES)
def test_the_deps_of_a_stage_are_the_modules_it_imports_and_no_others(name):
    modules = {dep for dep in STAGES[name]["deps"] if dep.endswith(".py")}
    assert modules == closure(module_of(name))


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_the_module_of_its_name_and_says_what_it_is_for(name):
    assert STAGES[name]["cmd"].startswith(f"python -m stages.{Path(module_of(name)).stem}")
    assert STAGES[name]["desc"]


def test_imports_only_point_down():
    for file in (ROOT / "stages").glob("*.py"):
        assert all(f.startswith("stages/lib/") for f in imports(file)), file
    for file in (ROOT / "stages/lib").glob("*.py"):
        assert all(f.startswith("stages/lib/") for f in imports(file)), file


@pytest.mark.parametrize("name", ["sample", "index", "labels", "split", "crop", "combine", "evaluate"])
def test_a_stage_that_needs_no_torch_imports_none(name):
    imported = set()
    for file in closure(f"stages/{name}.py"):
        for node in ast.walk(ast.parse((ROOT / file).read_text())):
            if isinstance(node, ast.Import):
                imported.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.split(".")[0])
    assert not {"torch", "torchvision", "timm", "albumentations", "facenet_pytorch", "dvclive"} & imported
