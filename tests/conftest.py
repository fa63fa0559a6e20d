"""What the tests share: a small copy of the project in a temporary folder, and `dvc repro` in it."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from tests.browser import chromium
from tests.warm import warm_python

os.environ.setdefault("OMP_NUM_THREADS", "1")  # several test processes share the cores; set before torch is loaded

ROOT = Path(__file__).resolve().parent.parent
PARTS = ["dvc.yaml", "params.yaml", ".dvcignore", "stages", "labeller", "tools", "benchmarks", "recipes", ".gitignore",
         "data/dvc.yaml", "data/corrections", "data/groups", "data/pseudo"]
SMALL = {
    "models": ["mask", "gender", "age"], "folds": [0], "refit": [], "sample__people": 12, "sample__eval_people": 2,
    "sample__seed": 777, "paint__source__root": "data/sample", "data__root": "data/sample", "data__layout": "auto",
    "data__table": None, "data__columns": {},
    "labels__corrections": None, "split__n_folds": 2, "split__groups": None, "split__seed": 777, "detect__max_bad": 20,
    "crop__method": "face", "crop__height": 32, "crop__margin": 0.25, "crop__aspect": 1.0,
    "combine__vote": "soft", "combine__weights": {}, "combine__calibration": "none", "combine__by_person": False,
    "combine__decision": "argmax",
    "machine__device": "cpu", "machine__workers": 0, "machine__compile": False,
    "detect__min_face": 120, "detect__lenient_min_face": 100,  # no drawn face is smaller
}
TINY = {  # a timm model of 100,000 weights that learns nothing in one epoch, and is not asked to
    "backbone": "test_efficientnet", "pretrained": False, "weights": None, "image_size": 32, "epochs": 1, "batch": 16,
    "lr": 0.001, "loss": "cross_entropy", "augment": "light", "frozen": 0, "freeze_epochs": 0, "warmup": 0, "ema": 0,
    "head_layers": 1, "pseudo": None, "mixing": "none", "sampler": "none", "schedule": "one_cycle", "class_weights": "none",
}


@pytest.fixture(scope="session", autouse=True)
def dvcs_notes(tmp_path_factory):
    """What DVC notes of a project beside it lies with the tests' other files, not in /var/tmp."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("dvc")))
        yield


@pytest.fixture(scope="session")
def warm():
    """The Python that has imported torch and the others, for all commands of the tests' projects from here on."""
    with warm_python() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Project, "commands", f"{folder}:{Project.commands}")
        yield


class Project:
    """A copy of the project to run in: `root` is its folder."""
    commands = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # where `python` and `dvc` are looked for

    def __init__(self, root: Path):
        self.root = root

    def sh(self, *command: str) -> subprocess.CompletedProcess:
        """Run a command in the project."""
        env = os.environ | {"PATH": self.commands}
        return subprocess.run(command, check=False, cwd=self.root, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True)

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
        """The same project in another folder, with all its files; those of DVC's cache, which nobody edits, as hard links."""
        cache = f"{self.root}/.dvc/cache/"

        def copy_file(source: str, target: str) -> None:
            (os.link if source.startswith(cache) else shutil.copy2)(source, target)

        shutil.copytree(self.root, to, symlinks=True, copy_function=copy_file)
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
    shared = yaml.safe_load((root / "params.yaml").read_text())["training"].keys() & TINY.keys()
    project.set(**{f"training__{key}": TINY[key] for key in shared})
    for model in ("mask", "gender", "age", "joint"):
        project.set(**{f"{model}__{key}": TINY[key] for key in TINY.keys() - shared}, **{f"predict__{model}__views": "none"})
    project.git("add", "-A")
    project.git("commit", "-qm", "a tiny copy")
    return project


@pytest.fixture(scope="session")
def ran(warm, tmp_path_factory, worker_id) -> Project:
    """The tiny project after one dvc repro of everything, made by one worker for all. Tests that change it take a copy."""
    base = tmp_path_factory.getbasetemp()
    first = (base if worker_id == "master" else base.parent) / "first"
    failed = first.with_name("failed")
    with FileLock(f"{first}.lock"):
        if failed.exists():
            pytest.fail(f"the first run of the tiny project failed, in another process:\n{failed.read_text()}")
        if not first.exists():
            try:
                project = make_project(first.with_name("making"))
                assert "evaluate" in project.repro()
                project.git("add", "-A")
                project.git("commit", "-qm", "after a run")
                project.root.rename(first)
            except BaseException as error:
                failed.write_text(str(error))
                raise
    return Project(first).copy(tmp_path_factory.mktemp("project") / "tiny")


@pytest.fixture(scope="session")
def exported(ran, tmp_path_factory, worker_id) -> Project:
    """The project that ran, with its bundle in bundle/model, made by one worker for all; only tests that copy it change it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "exported"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            project = ran.copy(folder.with_name("exporting"))
            done = project.python("stages.export")
            assert done.returncode == 0, done.stderr
            project.root.rename(folder)
    return Project(folder)


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium."""
    with chromium() as driver:
        yield driver


@pytest.fixture
def own(ran, tmp_path) -> Project:
    """A copy of the project that ran, for one test to change."""
    return ran.copy(tmp_path / "own")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder as the working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
