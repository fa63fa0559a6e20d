"""What the tests share: a small copy of the project in a temporary folder, and `dvc repro` in it."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from tests.warm import write_clients

os.environ.setdefault("OMP_NUM_THREADS", "1")  # several test processes share the cores; set before torch is loaded

ROOT = Path(__file__).resolve().parent.parent
PARTS = ["dvc.yaml", "params.yaml", ".dvcignore", "stages", "tools", "benchmarks", "recipes", ".gitignore",
         "data/dvc.yaml", "data/corrections", "data/pseudo"]
SMALL = {
    "models": ["mask", "gender", "age"], "folds": [0], "refit": [], "sample__people": 12, "sample__eval_people": 2,
    "sample__seed": 777, "data__root": "data/sample", "data__table": None, "labels__corrections": None, "split__n_folds": 2,
    "split__seed": 777, "detect__max_bad": 20, "crop__method": "face", "crop__height": 32, "crop__margin": 0.25,
    "crop__aspect": 1.0, "combine__vote": "soft", "combine__weights": {}, "combine__decision": "argmax",
    "machine__device": "cpu", "machine__workers": 0,
}
TINY = {  # a timm model of 100,000 weights that learns nothing in one epoch, and is not asked to
    "backbone": "test_efficientnet", "pretrained": False, "weights": None, "image_size": 32, "epochs": 1, "batch": 16,
    "lr": 0.001, "loss": "cross_entropy", "augment": "light", "frozen": 0, "freeze_epochs": 0, "warmup": 0, "ema": 0,
    "head_layers": 1, "pseudo": None, "mixing": "none", "sampler": "none", "schedule": "one_cycle", "class_weights": "none",
}


WARM = Path(tempfile.mkdtemp(prefix="warm-"))  # `python` and `dvc`, which need not import torch anew


@pytest.fixture(scope="session")
def warm():
    """The Python that has imported torch and the others, for all commands of the tests' projects."""
    address = str(WARM / "socket")
    write_clients(WARM, address)
    server = subprocess.Popen([sys.executable, Path(__file__).parent / "warm.py", address], stdout=subprocess.PIPE)
    assert server.stdout.readline() == b"ready\n"
    yield
    server.terminate()
    server.wait()
    shutil.rmtree(WARM)


class Project:
    """A copy of the project to run in: `root` is its folder."""

    def __init__(self, root: Path):
        self.root = root

    def sh(self, *command: str) -> subprocess.CompletedProcess:
        """Run a command in the project, with its own Python first on the PATH."""
        env = os.environ | {"PATH": f"{WARM}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
        return subprocess.run(command, check=False, cwd=self.root, env=env, capture_output=True, text=True)

    def python(self, *words: str) -> subprocess.CompletedProcess:
        return self.sh("python", "-m", *words)

    def git(self, *words: str) -> None:
        done = self.sh("git", *words)
        assert done.returncode == 0, done.stderr

    def repro(self, *words: str) -> set[str]:
        """Run dvc repro, which must pass; returns the stages that ran."""
        done = self.sh("dvc", "repro", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return set(re.findall(r"^Running stage '(?:data/dvc.yaml:)?(.+)':$", done.stdout, re.MULTILINE))

    def set(self, **values) -> None:
        """Change parameters: set(age__loss="focal") is age.loss: focal."""
        file = self.root / "params.yaml"
        params = yaml.safe_load(file.read_text())
        for key, value in values.items():
            *path, last = key.split("__")
            section = params
            for part in path:
                section = section[part]
            section[last] = value
        file.write_text(yaml.safe_dump(params, sort_keys=False))

    def copy(self, to: Path) -> "Project":
        """The same project, with all its files and its DVC cache, in another folder."""
        shutil.copytree(self.root, to, symlinks=True)
        return Project(to)


def make_project(root: Path) -> Project:
    """A tiny copy of the project: twelve drawn people, two folds, a network of 100,000 weights, one epoch."""
    for part in PARTS:
        source, target = ROOT / part, root / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    project = Project(root)
    project.git("init", "-q")
    project.git("config", "user.name", "test")
    project.git("config", "user.email", "test@example.org")
    for command in (["init", "-q"], ["config", "core.analytics", "false"]):
        assert project.sh("dvc", *command).returncode == 0
    shutil.copytree(ROOT / ".dvc/plots", root / ".dvc/plots", dirs_exist_ok=True)
    project.set(**SMALL)  # whatever params.yaml says at the moment
    for model in ("mask", "gender", "age", "joint"):
        project.set(**{f"{model}__{key}": value for key, value in TINY.items()}, **{f"predict__{model}__views": "none"})
    project.git("add", "-A")
    project.git("commit", "-qm", "a tiny copy")
    return project


@pytest.fixture(scope="session")
def ran(warm, tmp_path_factory, worker_id) -> Project:
    """The tiny project after one dvc repro of everything, made by one worker for all. Tests that change it take a copy."""
    base = tmp_path_factory.getbasetemp()
    first = (base if worker_id == "master" else base.parent) / "first"
    with FileLock(f"{first}.lock"):
        if not first.exists():
            project = make_project(first.with_name("making"))
            assert "evaluate" in project.repro()
            project.git("add", "-A")
            project.git("commit", "-qm", "after a run")
            project.root.rename(first)
    return Project(first).copy(tmp_path_factory.mktemp("project") / "tiny")


@pytest.fixture
def own(ran, tmp_path) -> Project:
    """A copy of the project that ran, for one test to change."""
    return ran.copy(tmp_path / "own")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder as the working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pytest_collection_modifyitems(items):
    """Whatever needs the project that ran is slow; tests that share a costly fixture of their file run in one worker."""
    for item in items:
        if {"ran", "own"} & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)
        for name in ("compared", "shared", "page"):
            if name in item.fixturenames:
                item.add_marker(pytest.mark.xdist_group(name))
