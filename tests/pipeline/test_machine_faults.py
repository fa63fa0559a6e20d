"""What a machine may do to a stage: each fault ends in one line, or is none, and afterwards the run ends in the same bytes."""
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.torture import contents, differences

STAGES = ["index", "labels age", "split", "detect", "crop", "train age 0", "predict age 0", "combine", "evaluate", "report"]
SMALL = "mount -t tmpfs -o size=64k tmpfs /dev/shm"
KILLED = """
import os, runpy, signal, sys
from stages.modeling.dataloader import Crops

get, parent = Crops.__getitem__, os.getpid()

def killed(self, item):
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return get(self, item)

Crops.__getitem__, sys.argv = killed, ["predict", "age", "0"]
runpy.run_module("stages.predict", run_name="__main__")
"""


def run(project: Project, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, check=False, cwd=project.root, env=os.environ, capture_output=True, text=True, timeout=300)


def mounted(project: Project, mount: str, stage: str) -> subprocess.CompletedProcess:
    """Run a stage where something else is mounted, which nobody beside it sees."""
    private = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    try:
        allowed = run(project, *private, "true").returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip("nothing may be mounted here")
    return run(project, *private, "sh", "-c", f"{mount} && exec {sys.executable} -m stages.{stage}")


def line(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    [said] = [said for said in done.stderr.splitlines() if said.startswith("error: ")]
    return said


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_does_with_64_open_files(own, ran, stage):
    assert run(own, "sh", "-c", f"ulimit -n 64 && exec {sys.executable} -m stages.{stage}").returncode == 0
    assert differences(contents(own.root), contents(ran.root)) == []


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_folder_that_may_not_be_written_is_named(own, ran, stage):
    assert "Read-only file system" in line(mounted(own, f"mount --bind -o ro {own.root} {own.root} && cd {own.root}", stage))
    assert differences(contents(own.root), contents(ran.root)) == []


@pytest.mark.slow
def test_a_small_dev_shm_is_said_and_fewer_workers_do_without(own, ran):
    own.set(machine__workers=2)
    said = line(mounted(own, SMALL, "predict age 0"))
    assert said.startswith("error: a process that prepares photos is lost (")
    assert said.endswith("; give it more memory or a larger /dev/shm, or lower machine.workers")
    own.set(machine__workers=0)
    assert mounted(own, SMALL, "predict age 0").returncode == 0
    predictions = "data/predictions/age/0.parquet"
    assert (own.root / predictions).read_bytes() == (ran.root / predictions).read_bytes()


@pytest.mark.slow
def test_a_killed_worker_is_said(own):
    own.set(machine__workers=2)
    said = line(run(own, sys.executable, "-c", KILLED))
    assert "is killed by signal: Killed" in said or "exited unexpectedly" in said  # what torch notices first
    assert said.endswith("lower machine.workers")


@pytest.mark.slow
def test_a_clock_that_was_set_back_changes_nothing(own, ran):
    later = time.time() + 365 * 86400
    for file in Path(own.root).rglob("*"):
        if file.is_file() and not file.is_symlink():
            os.utime(file, (later, later))
    assert own.repro() == set()
    own.set(age__lr=0.1)
    assert {"train@age-0", "predict@age-0", "combine"} <= own.repro()
    own.git("checkout", "params.yaml")
    own.repro()
    assert differences(contents(own.root / "data"), contents(ran.root / "data")) == []


@pytest.mark.slow
def test_of_two_dvc_repro_at_once_one_works_and_the_other_says_who_is_in_its_way(own):
    command = ["dvc", "repro", "--force", "--single-item", "report"]
    runs = [subprocess.Popen(command, cwd=own.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True) for _ in range(2)]
    said = [each.communicate(timeout=300)[0] for each in runs]
    assert sorted(each.returncode == 0 for each in runs) == [False, True]
    refused = next(text for each, text in zip(runs, said) if each.returncode)
    assert "Traceback" not in refused
    assert "Unable to acquire lock" in refused or "is busy" in refused
