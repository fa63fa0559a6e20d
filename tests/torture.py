"""Kill the pipeline at random moments, run it again, and compare every file. Run: python -m tests.torture [--kills 50]

A tiny project (tests/conftest.py: three models and a refit, three epochs each, with the report page and its Grad-CAM) runs once
undisturbed. Then, so many times, a fresh copy of it is started, and at a random moment all its processes get SIGKILL, or its
process group SIGTERM or SIGINT, in every fourth run twice. Then `python -m tools.check`, as in `make repro`, and the same
command run to their end. Afterwards

- every file of the project is byte by byte that of the undisturbed run: outs, dvc.lock, .gitignore, objects in DVC's cache;
- no other file is left over, and no process.

Prints a line a run, and ends with status 1 if one differs. Two of five runs are `dvc repro`, the others `dvc exp run`, `make
repro JOBS=2`, or an experiment of DVC's queue, which runs in a folder of its own and is applied at the end.
"""
import argparse
import ctypes
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.conftest import Project, make_project
from tests.warm import warm_python

SIGNALS = ["SIGKILL"] * 6 + ["SIGTERM", "SIGINT"]
NOT_COMPARED = (".git", ".dvc/tmp", "logs", "data/.resume")  # commits, DVC's notes and the log have times; the last is notes
EXPERIMENT = ["dvc", "exp", "run", "--force", "-n", "torture"]
WAYS = {"repro": ["dvc", "repro"], "exp run": EXPERIMENT, "jobs": ["python", "-m", "tools.repro", "--jobs", "2"],
        "queue": ["dvc", "exp", "run", "--run-all"]}
QUEUE = [["dvc", "queue", "kill", "torture"], ["dvc", "queue", "remove", "torture"], [*EXPERIMENT, "--queue"]]
STAGE = re.compile(r"^(?:\[.*\] )?Running stage '(?:data/dvc\.yaml:)?(.+)':$", re.MULTILINE)
PR_SET_CHILD_SUBREAPER = 36  # of Linux's prctl
PATIENCE = 600  # seconds that a run may take


def contents(root: Path) -> dict[str, str]:
    """A hash of each file below a folder, but for NOT_COMPARED and what Python caches."""
    files = [file for file in sorted(root.rglob("*")) if file.is_file() and "__pycache__" not in file.parts]
    names = {file.relative_to(root).as_posix(): file for file in files}
    return {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in names.items()
            if not name.startswith(tuple(f"{folder}/" for folder in NOT_COMPARED))}


def differences(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """What is missing, left over, or other than wanted; both as of contents()."""
    return [*(f"{name} is missing" for name in sorted(wanted.keys() - found.keys())),
            *(f"{name} is left over" for name in sorted(found.keys() - wanted.keys())),
            *(f"{name} differs" for name in sorted(found.keys() & wanted.keys()) if found[name] != wanted[name])]


def processes_in(root: Path) -> dict[int, str]:
    """The processes whose working folder is in `root`, and their commands."""
    out = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            if Path(os.readlink(process / "cwd")).is_relative_to(root):
                out[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ").strip()
    return out


def left_over(root: Path, seconds: float = 30) -> list[str]:
    """Processes that still run in a project after so many seconds: one that was killed takes a moment, a worker of the queue
    10 s. DVC's locks name their process, and do not outlive it."""
    until = time.monotonic() + seconds
    while (running := processes_in(root)) and time.monotonic() < until:
        time.sleep(0.1)
    return [f"still running: {command}" for command in running.values()]


def start(project: Project, command: list[str], log: Path) -> subprocess.Popen:
    """Start a command in a process group of its own."""
    with open(log, "ab") as file:
        return subprocess.Popen(command, cwd=project.root, env=os.environ | {"PATH": project.commands, "PYTHONUNBUFFERED": "1"},
                                start_new_session=True, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)


def disturb(project: Project, command: list[str], after: float, name: str, log: Path) -> str:
    """Send a command a signal after so many seconds; returns the stage that it hit, or "" if it had ended."""
    process = start(project, command, log)
    try:
        process.wait(after)
        return ""
    except subprocess.TimeoutExpired:
        stop(project.root, process.pid, getattr(signal, name))
    process.wait(PATIENCE)
    logs = [log, *project.root.glob(".dvc/tmp/exps/run/*/*.out")]  # an experiment of the queue has its own
    stages = [stage for file in logs for stage in STAGE.findall(file.read_text(errors="replace"))]
    return stages[-1] if stages else "before the first stage"


@contextmanager
def adopted_orphans():
    """Be the parent of the queue's workers, which detach themselves, to wait for them as an init process does: DVC takes a
    zombie for a process that runs."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0)


def stop(root: Path, group: int, number: int) -> None:
    """Ctrl-C and SIGTERM reach a process group; SIGKILL stands for a power cut, so it also takes the queue's workers."""
    with suppress(ProcessLookupError):  # it has just ended
        os.killpg(group, number)
    if number == signal.SIGKILL:
        killed = set(processes_in(root))
        for process in killed:
            with suppress(ProcessLookupError):
                os.kill(process, number)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and (killed := {one for one in killed - {group} if Path(f"/proc/{one}").exists()}):
            for process in killed:
                with suppress(ChildProcessError):  # its parent still waits for it
                    os.waitpid(process, os.WNOHANG)
            time.sleep(0.01)


def check(project: Project) -> None:
    """What `make repro` does first."""
    done = project.python("tools.check")
    assert done.returncode == 0, done.stderr


def prepare(project: Project, way: str, log: Path) -> None:
    """What comes before a run; of the queue's commands the first two fail where nothing is to be removed."""
    check(project)
    for command in QUEUE if way == "queue" else []:
        left_over(project.root)  # DVC gives no work to a worker that is about to end
        start(project, command, log).wait(PATIENCE)


def first_hit(base: Project, root: Path, way: str, dice: random.Random, seconds: float) -> tuple[Project, tuple]:
    """A project that was disturbed once, at a moment of its run: an earlier one, if it had ended before."""
    while True:
        project, name, after = base.copy(root), dice.choice(SIGNALS), dice.uniform(0, seconds)
        prepare(project, way, root.with_name("log"))
        if stage := disturb(project, WAYS[way], after, name, root.with_name("log")):
            return project, (name, stage, after)
        shutil.rmtree(root)
        seconds = after


@adopted_orphans()
def torture(base: Project, wanted: dict[str, str], seconds: float, dice: random.Random, folder: Path) -> tuple[str, list, list]:
    """One run with one or two signals: the command, what hit where, and what is wrong afterwards."""
    log, way = folder / "log", dice.choice(["repro", "repro", "exp run", "jobs", "queue"])
    project, hit = first_hit(base, folder / "run", way, dice, seconds)
    hits = [hit]
    if dice.random() < 0.25:
        prepare(project, way, log)
        name, after = dice.choice(SIGNALS), dice.uniform(0, seconds)
        if stage := disturb(project, WAYS[way], after, name, log):
            hits.append((name, stage, after))
    prepare(project, way, log)
    for command in [WAYS[way], *([["dvc", "exp", "apply", "torture"]] if way == "queue" else [])]:
        if status := start(project, command, log).wait(PATIENCE):
            return way, hits, [f"{' '.join(command)} ends with status {status}: {log.read_text().strip().splitlines()[-1]}"]
    check(project)  # an experiment that is applied brings no .gitignore
    return way, hits, differences(contents(project.root), wanted) + left_over(project.root)


def undisturbed(folder: Path) -> tuple[Project, dict[str, str], float]:
    """A project that never ran, what its run leaves, and the seconds of that run."""
    base = make_project(folder / "base")
    epochs = {f"{name}__{key}": value for name in ("mask", "gender", "age") for key, value in (("epochs", 3), ("patience", 3))}
    base.set(refit=["age"], **epochs)
    base.git("commit", "-qam", "three epochs and a refit")
    whole, began = base.copy(folder / "whole"), time.monotonic()
    whole.repro()
    return base, contents(whole.root), time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="runs that are disturbed")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.kills < 1:
        parser.error(f"--kills: {args.kills} must be 1 or more")
    bad, hit, dice, began = 0, Counter(), random.Random(args.seed), time.monotonic()
    with warm_python() as commands, tempfile.TemporaryDirectory(prefix="torture-") as place:
        Project.commands = f"{commands}:{Project.commands}"
        base, wanted, seconds = undisturbed(Path(place))
        print(f"undisturbed: {len(wanted)} files in {seconds:.0f} s", flush=True)
        for number in range(1, args.kills + 1):
            with tempfile.TemporaryDirectory(prefix="run-", dir=place) as folder:
                way, hits, wrong = torture(base, wanted, seconds, dice, Path(folder))
            bad += bool(wrong)
            hit.update(stage for _, stage, _ in hits)
            where = ", then ".join(f"{name} in {stage} after {after:.1f} s" for name, stage, after in hits)
            pace = (time.monotonic() - began) / number
            print(f"{number} of {args.kills}: {way}: {where}: {'; '.join(wrong[:5]) or 'equal'}"
                  f" ({pace:.0f} s a run, {pace * (args.kills - number) / 60:.0f} min left)", flush=True)
    print(f"{args.kills - bad} of {args.kills} runs ended in the bytes of the undisturbed one, with nothing left over")
    print("hit:", ", ".join(f"{stage} {count}" for stage, count in sorted(hit.items())))
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
