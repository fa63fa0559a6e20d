"""Independent stages run side by side, and leave what they leave one after another."""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from stages.core.param_types import cores
from tests.conftest import ROOT, Project
from tests.torture import contents, differences
from tools.shared import jobs

pytestmark = pytest.mark.usefixtures("warm")
WAIT = "while ! test -e {}; do sleep .05; done"
READ = "cat {} > {}"


class Tiny:
    """A DVC project of shell commands: stages maps a name to (command, deps, outs).

    cold: whether DVC is a process of its own, whose family gets signals, and not one of the warm Python's.
    """

    def __init__(self, root: Path, stages: dict[str, tuple[str, list[str], list[str]]], cold: bool = False):
        self.root = root
        self.path = f"{Path(sys.executable).parent}:{os.environ['PATH']}" if cold else Project.commands
        root.mkdir()
        (root / "in").write_text("in\n")
        listed = {name: {"cmd": command, "deps": deps, "outs": outs} for name, (command, deps, outs) in stages.items()}
        (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": listed}, sort_keys=False))
        for command in ("git init -q", "dvc init -q", "dvc config core.analytics false"):
            subprocess.run(command.split(), cwd=root, check=True, env=self.env())

    def env(self, **more: str) -> dict[str, str]:
        return os.environ | {"PATH": self.path, "PYTHONPATH": str(ROOT)} | more

    def start(self, *words: str, **more: str) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-m", "tools.repro", *words], cwd=self.root, env=self.env(**more), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def repro(self, *words: str, **more: str) -> tuple[int, str, str]:
        """Status, stdout and stderr."""
        process = self.start(*words, **more)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def dvc(self) -> str:
        done = subprocess.run(["dvc", "repro"], cwd=self.root, env=self.env(), check=True, capture_output=True, text=True)
        return done.stdout

    def await_file(self, name: str) -> None:
        while not (self.root / name).exists():
            time.sleep(0.05)


def two_that_meet(name: str, other: str) -> tuple[str, list[str], list[str]]:
    """A stage that ends only if another one runs at the same time."""
    return f"touch {name}.here; {WAIT.format(f'{other}.here')}; echo {name} > {name}", ["in"], [name]


def test_stages_that_need_nothing_of_each_other_run_at_once_and_in_the_bytes_of_one_after_another(tmp_path):
    plain = {"a": (READ.format("in", "a"), ["in"], ["a"]), "b": (READ.format("in", "b"), ["in"], ["b"]),
             "c": (f"sleep .5; {READ.format('a', 'c')}", ["a"], ["c"]), "d": (READ.format("b", "d"), ["b"], ["d"]),
             "e": ("cat c d > e", ["c", "d"], ["e"])}
    serial, side_by_side = Tiny(tmp_path / "serial", plain), Tiny(tmp_path / "jobs", plain)
    serial.dvc()
    status, out, err = side_by_side.repro("--jobs", "3")
    assert (status, err) == (0, "")
    assert "5 stages ran" in out and "0 did not change" in out
    assert differences(contents(side_by_side.root), contents(serial.root)) == []
    assert "up to date" in side_by_side.dvc()
    status, out, _ = side_by_side.repro("--jobs", "3")
    assert "0 stages ran" in out and "5 did not change" in out


def test_two_run_at_the_same_moment(tmp_path):
    tiny = Tiny(tmp_path / "p", {"a": two_that_meet("a", "b"), "b": two_that_meet("b", "a")})
    assert tiny.repro("--jobs", "2")[0] == 0


def test_a_failure_stops_what_depends_on_it_and_nothing_else(tmp_path):
    tiny = Tiny(tmp_path / "p", {"a": ("echo no room >&2; false", ["in"], ["a"]), "b": ("sleep 1; cp in b", ["in"], ["b"]),
                                 "c": ("cp a c", ["a"], ["c"]), "d": ("cp b d", ["b"], ["d"]),
                                 "e": ("cat c d > e", ["c", "d"], ["e"])})
    status, out, err = tiny.repro("--jobs", "2")
    assert status == 1
    assert err.strip() == "error: failed: a; not run: c, e"
    assert "no room" in (tiny.root / "logs/repro/a.log").read_text()
    assert (tiny.root / "d").exists() and "2 stages ran" in out


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_all_and_another_start_goes_on(tmp_path, kind):
    tiny = Tiny(tmp_path / "p", {"a": ("cp in a", ["in"], ["a"]),
                                 "b": ("echo $$ > b.pid; test -e go || sleep 600; cp a b", ["a"], ["b"])}, cold=True)
    process = tiny.start("--jobs", "2")
    tiny.await_file("b.pid")
    os.kill(process.pid, kind)  # to it alone: the stage hears of it, too
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.kill(int((tiny.root / "b.pid").read_text()), 0)
    (tiny.root / "go").touch()
    status, out, err = tiny.repro("--jobs", "2")
    assert status == 0, err
    assert "1 stages ran" in out and "1 did not change" in out


@pytest.mark.parametrize("file", [".dvc/tmp/rwlock", "dvc.lock"])
def test_ctrl_c_while_dvc_writes_a_file_of_its_own_leaves_one_that_dvc_reads(tmp_path, file):
    b = f"trap 'truncate -s 30 {file}; exit 1' INT; touch b.runs; test -e go || sleep 600; cp a b"
    tiny = Tiny(tmp_path / "p", {"a": ("cp in a", ["in"], ["a"]), "b": (b, ["a"], ["b"])}, cold=True)
    process = tiny.start("--jobs", "2")
    tiny.await_file("b.runs")
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert f"note: {file}: cut off, as by a kill, and" in out
    (tiny.root / "go").touch()
    assert tiny.dvc()
    assert (tiny.root / "b").read_text() == "in\n"


def test_what_a_kill_left_of_a_file_of_dvcs_is_mended_before_the_start(tmp_path):
    tiny = Tiny(tmp_path / "p", {"a": ("cp in a", ["in"], ["a"])})
    (tiny.root / ".dvc/tmp/rwlock").write_text("{")
    status, out, err = tiny.repro()
    assert (status, err) == (0, "")
    assert "note: .dvc/tmp/rwlock: cut off, as by a kill, and removed" in out


def test_after_a_kill_another_start_waits_for_what_still_runs(tmp_path):
    tiny = Tiny(tmp_path / "p", {"a": ("touch here; sleep 4; cp in a", ["in"], ["a"]), "b": ("cp a b", ["a"], ["b"])})
    process = tiny.start("--jobs", "2")
    tiny.await_file("here")
    process.kill()
    process.communicate()
    status, out, err = tiny.repro("--jobs", "2")
    assert status == 0, out + err
    assert (tiny.root / "b").read_text() == "in\n"
    assert out.count("a starts") == 1
    assert out.count("a waits for another dvc that works on its files") == 1


def test_what_was_there_before_a_killed_run_and_is_no_more_is_no_mistake(tmp_path):
    """As an entry of dvc.lock that a kill cut off, and that tools.check left out."""
    tiny = Tiny(tmp_path / "p", {"a": ("cp in a", ["in"], ["a"])})
    assert tiny.repro()[0] == 0
    notes = tiny.root / "logs/repro/before.json"
    notes.write_text(json.dumps({str(tiny.root / "dvc.lock"): ["gone", "a"], ".gitignore": ["/gone", "/a"]}))
    status, _, err = tiny.repro()
    assert (status, err) == (0, "")
    assert (tiny.root / ".gitignore").read_text() == "/a\n"
    assert not notes.exists()


@pytest.mark.parametrize("words, said", [
    (["--jobs", "0"], "--jobs: '0' must be a whole number from 1 to 1000"),
    (["--jobs", "-1"], "--jobs: '-1' must be a whole number from 1 to 1000"),
    (["--jobs", "x"], "--jobs: 'x' must be a whole number from 1 to 1000"),
    (["nothing"], "'nothing'"),
])
def test_a_mistake_is_one_line(tmp_path, words, said):
    status, _, err = Tiny(tmp_path / "p", {"a": ("cp in a", ["in"], ["a"])}).repro(*words)
    assert status == 1
    assert said in err and len(err.splitlines()) == 1


def test_each_stage_has_its_share_of_the_cores_and_the_gpu_with_the_fewest_stages(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    assert jobs.gpus() == ["2", "5"]
    running = []
    for _ in range(4):
        environment = jobs.share(2, jobs.gpus(), running)
        running.append(type("Fake", (), {"gpu": environment["CUDA_VISIBLE_DEVICES"]}))
    assert [job.gpu for job in running] == ["2", "5", "2", "5"]
    assert jobs.share(1, [], [])["OMP_NUM_THREADS"] == str(cores())
    assert jobs.share(2 * cores(), [], []) == {"OMP_NUM_THREADS": "1"}
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert jobs.share(2, [], []) == {"OMP_NUM_THREADS": "3"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert jobs.gpus() == []


@pytest.mark.slow
def test_the_pipeline_ends_in_the_same_bytes(ran, tmp_path):
    """And does nothing afterwards. dvc.lock and .gitignore are there from the run before, so they begin anew, too."""
    project = ran.copy(tmp_path / "own")
    wanted = contents(project.root)
    project.sh("git", "checkout", "-q", "HEAD~1")
    for folder in ("data", "models", "reports"):
        project.sh("git", "clean", "-fdxq", folder)
    project.sh("rm", "-rf", ".dvc/cache")
    done = project.python("tools.repro", "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert differences(contents(project.root), wanted) == []
    assert project.repro() == set()


def test_what_a_stage_prints_is_told_with_its_name_and_what_dvc_says_after_each_is_not(tmp_path):
    tiny = Tiny(tmp_path / "p", {"a": (r"printf '1 of 2\r2 of 2\nloss 0.5\n'; cp in a", ["in"], ["a"])})
    _, out, _ = tiny.repro("--jobs", "2")
    assert [line for line in out.splitlines() if line.startswith("[a]")][-2:] == ["[a] 2 of 2", "[a] loss 0.5"]
    assert "Use `dvc push`" in (tiny.root / "logs/repro/a.log").read_text()
