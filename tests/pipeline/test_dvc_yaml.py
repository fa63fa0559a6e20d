"""dvc.yaml tells the truth: what a stage imports lies in its deps, and the packages build on each other in one direction."""
import ast
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

FILES = {"dvc.yaml": yaml.safe_load((ROOT / "dvc.yaml").read_text()),
         "data/dvc.yaml": yaml.safe_load((ROOT / "data/dvc.yaml").read_text())}
STAGES = {name: stage for file in FILES.values() for name, stage in file["stages"].items()}
BUILDS_ON = {  # package: those that it may import beside itself
    "core": set(), "readers": {"core"}, "faces": {"core"}, "synthetic": {"core"}, "modeling": {"core"}, "voting": {"core"},
    "evaluation": {"core"}, "reporting": {"core", "modeling", "evaluation"},
}


@cache
def imports(file: str) -> frozenset[str]:
    """Files of the project that a file imports, at its top or within a function."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    files = {name.replace(".", "/") + ".py" for name in names if name.startswith(("stages.", "tools."))}
    return frozenset(file for file in files if (ROOT / file).is_file())


@cache
def closure(file: str) -> frozenset[str]:
    seen, todo = set(), {file}
    while todo:
        seen.add(one := todo.pop())
        todo |= imports(one) - seen
    return frozenset(seen)


def modules(*packages: str) -> set[str]:
    return {str(file.relative_to(ROOT)) for package in packages for file in (ROOT / "stages" / package).glob("*.py")
            if file.name != "__init__.py"}


def module_of(stage: str) -> str:
    return "stages/predict.py" if stage == "predict_refit" else f"stages/{stage}.py"


def code_of(stage: str) -> tuple[list[str], list[str]]:
    """The deps of a stage that are code: files, and packages."""
    code = [dep for dep in STAGES[stage]["deps"] if dep.startswith("stages/")]
    return [dep for dep in code if dep.endswith(".py")], [dep for dep in code if not dep.endswith(".py")]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_its_file_and_the_packages_that_it_imports(name):
    files, packages = code_of(name)
    imported = closure(module_of(name)) - {module_of(name)}
    assert files == [module_of(name)]
    assert set(packages) == {str(Path(file).parent) for file in imported}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_the_module_of_its_name_and_says_what_it_is_for(name):
    assert STAGES[name]["cmd"].startswith(f"python -m stages.{Path(module_of(name)).stem}")
    assert STAGES[name]["desc"]


def test_training_reruns_for_nothing_that_it_does_not_import():
    assert closure("stages/train.py") - {"stages/train.py"} == modules("core", "modeling")


@pytest.mark.parametrize("package", BUILDS_ON)
def test_a_package_builds_on_those_below_it(package):
    for file in modules(package):
        others = {Path(imported).parent.name for imported in imports(file)} - {package}
        assert others <= BUILDS_ON[package], file


def test_every_package_has_its_place_and_no_stage_imports_another():
    assert {folder.name for folder in (ROOT / "stages").iterdir() if (folder / "__init__.py").is_file()} == BUILDS_ON.keys()
    for file in (ROOT / "stages").glob("*.py"):
        assert all(Path(imported).parent.parent.name == "stages" for imported in imports(f"stages/{file.name}")), file


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
