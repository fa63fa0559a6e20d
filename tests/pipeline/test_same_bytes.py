"""What docs/reproducing.md promises of bytes: again on one thread and on two, and with EVERYWHERE on other processors."""
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.processors import BLAS, EVERYWHERE, GLIBC, NUMPY
from tests.conftest import ROOT, Project

X86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these variables are of x86 processors")


def train(project: Project, to: Path, settings: dict[str, str]) -> dict[str, bytes]:
    """The files of a model trained by an interpreter of its own, in a folder that borrows the project's data."""
    to.mkdir()
    shutil.copy(project.root / "params.yaml", to)
    (to / "data").symlink_to(project.root / "data")
    env = os.environ | {"PYTHONPATH": str(ROOT)} | settings
    done = subprocess.run([sys.executable, "-m", "stages.train", "age", "0"], check=False, cwd=to, env=env, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    return {file.name: file.read_bytes() for file in (to / "models/age/0").rglob("*") if file.is_file()}


@pytest.fixture
def learning(own) -> Project:
    """Of some epochs of a training that draws, mixes, averages and augments."""
    own.set(age__epochs=3, age__patience=3, age__mixing="cutmix", age__ema=0.9, age__sampler="cell", age__augment=["light"])
    return own


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_training_gives_the_same_bytes_again_on_as_many_threads(learning, tmp_path, threads):
    settings = {"OMP_NUM_THREADS": threads}
    assert train(learning, tmp_path / "once", settings) == train(learning, tmp_path / "again", settings)


@pytest.mark.slow
@X86
def test_everywhere_gives_the_bytes_of_another_processor(learning, tmp_path):
    """Another processor is played by what its libraries would take. EVERYWHERE itself holds torch's and OpenCV's."""
    once = train(learning, tmp_path / "once", EVERYWHERE)
    assert train(learning, tmp_path / "other", EVERYWHERE | GLIBC | NUMPY | BLAS) == once
    assert train(learning, tmp_path / "plain", {}) != once or torch.backends.cpu.get_cpu_capability() == "DEFAULT"


def test_make_sets_what_was_measured():
    command = ["make", "--no-print-directory", "--eval", "show: ; @env", "show"]
    for words, want in ([], {}), (["EVERYWHERE=1"], EVERYWHERE | {"OMP_NUM_THREADS": "1"}):
        clean = {name: value for name, value in os.environ.items() if name not in EVERYWHERE.keys() | {"OMP_NUM_THREADS"}}
        done = subprocess.run([*command, *words], check=True, cwd=ROOT, env=clean, capture_output=True, text=True)
        lines = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        assert {name: lines[name] for name in EVERYWHERE.keys() | {"OMP_NUM_THREADS"} if name in lines} == want
