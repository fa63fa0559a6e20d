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
BUILDS_ON = {  # package of stages/: those that it may import beside itself
    "core": set(), "readers": {"core", "resume", "shards", "labeller/inputs"}, "shards": {"core", "labeller/faces"},
    "resume": {"core"},
    "faces": {"core", "labeller/faces"}, "synthetic": {"core"}, "painting": {"core"},
    "modeling": {"core", "engine"}, "engine": {"core"}, "voting": {"core", "labeller/voting"}, "evaluation": {"core"},
    "reporting": {"core", "modeling", "evaluation"},
    "exporting": {"core", "modeling", "evaluation", "faces", "shards", "labeller", "labeller/faces", "labeller/voting"},
}


HEAVY = {"torch", "torchvision", "timm", "albumentations", "facenet_pytorch", "dvclive"}


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
    files = {name.replace(".", "/") + ".py" for name in names if name.startswith(("stages.", "tools.", "labeller."))}
    return frozenset(file for file in files if (ROOT / file).is_file())


@cache
def third_party(file: str) -> frozenset[str]:
    """The first name of everything that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return frozenset(names)


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
    code = [dep for dep in STAGES[stage]["deps"] if dep.startswith(("stages/", "labeller"))]
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
    assert closure("stages/train.py") - {"stages/train.py"} == modules("core", "engine", "modeling")


@pytest.mark.parametrize("package", BUILDS_ON)
def test_a_package_builds_on_those_below_it(package):
    for file in modules(package):
        others = {str(Path(imported).parent).removeprefix("stages/") for imported in imports(file)} - {package}
        assert others <= BUILDS_ON[package], file


def test_the_labeller_imports_nothing_of_the_pipeline_and_none_of_its_packages():
    """It is installed without them."""
    files = {str(file.relative_to(ROOT)) for file in (ROOT / "labeller").rglob("*.py")}
    service = {file for file in files if file.startswith("labeller/service/")}
    for file in files:
        assert imports(file) <= (files if file in service else files - service), file
        assert not third_party(file) & {*HEAVY, "pandas", "scipy", "sklearn", "yaml", "safetensors"}, file
        assert file in service or not third_party(file) & {"fastapi", "pydantic", "uvicorn", "prometheus_client"}, file


def test_every_package_has_its_place_and_no_stage_imports_another():
    assert {folder.name for folder in (ROOT / "stages").iterdir() if (folder / "__init__.py").is_file()} == BUILDS_ON.keys()
    for file in (ROOT / "stages").glob("*.py"):
        assert not [one for one in imports(f"stages/{file.name}") if Path(one).parent.name == "stages"], file


@pytest.mark.parametrize("name", ["sample", "index", "labels", "split", "crop", "combine", "evaluate"])
def test_a_stage_that_needs_no_torch_imports_none(name):
    imported = set().union(*map(third_party, closure(f"stages/{name}.py")))
    assert not HEAVY & imported
