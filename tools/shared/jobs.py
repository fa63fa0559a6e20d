"""Stages that run side by side: their processes, their shares of the machine, and what they print on one screen."""
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

from stages.core.param_types import cores
from stages.core.progress import duration

LOGS = Path("logs/repro")
SOON, GRACE = 2, 20  # seconds to end in after Ctrl-C
HINTS = ("Updating lock file", "Generating lock file", "To track the changes with git", "git add ", "To enable auto staging",
         "dvc config core.autostage", "Use `dvc push`")


class Job:
    """A stage that runs."""

    def __init__(self, name: str, environment: dict[str, str]):
        LOGS.mkdir(parents=True, exist_ok=True)
        self.name, self.log, self.gpu = name, LOGS / f"{name.replace('/', '_')}.log", environment.get("CUDA_VISIBLE_DEVICES")
        self.began, self.read = time.monotonic(), 0
        self.log.unlink(missing_ok=True)  # what a killed run left behind may still write to it
        with open(self.log, "wb") as file:
            command = ["dvc", "--wait-for-lock", "repro", "--single-item", name]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                                            env=os.environ | environment)

    def new_lines(self) -> list[str]:
        """Whole lines that were printed since the last call; of a progress bar the last state."""
        text = self.log.read_bytes()[self.read:]
        whole = text[: text.rfind(b"\n") + 1]
        self.read += len(whole)
        return [line.split("\r")[-1] for line in whole.decode(errors="replace").split("\n") if told(line)]

    def last_line(self) -> str:
        """What was printed last."""
        lines = self.log.read_bytes()[-4000:].decode(errors="replace").replace("\r", "\n").split("\n")
        return next(filter(told, reversed(lines)), "")


def told(line: str) -> bool:
    """Whether a line is of the stage, and not one of those that DVC prints after each."""
    return bool(line.strip()) and not line.strip().startswith(HINTS)


class Screen:
    """On a terminal a line for each running stage, below all that ended; elsewhere each line that a stage prints."""

    def __init__(self):
        self.live, self.drawn = sys.stdout.isatty(), 0

    def say(self, text: str) -> None:
        self.erase()
        print(text, flush=True)

    def erase(self) -> None:
        if self.drawn:
            print(f"\033[{self.drawn}F\033[J", end="")
            self.drawn = 0

    def show(self, jobs: list[Job]) -> None:
        if not self.live:
            for job in jobs:
                for line in job.new_lines():
                    print(f"[{job.name}] {line}", flush=True)
            return
        width = shutil.get_terminal_size().columns - 1
        self.erase()
        for job in jobs:
            print(f"  {job.name} {duration(time.monotonic() - job.began)}: {job.last_line()}"[:width])
        self.drawn = len(jobs)
        sys.stdout.flush()


def gpus() -> list[str]:
    """The GPUs that stages may use, as CUDA_VISIBLE_DEVICES names them."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name for name in given.split(",") if name.strip() not in ("", "-1")]
    try:
        listed = subprocess.run(["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"], check=False, capture_output=True,
                                text=True)
    except OSError:
        return []
    return listed.stdout.split() if listed.returncode == 0 else []


def share(jobs: int, found: list[str], running: list[Job]) -> dict[str, str]:
    """The environment of the next stage: threads, and the GPU with the fewest stages."""
    out = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(max(1, cores() // jobs))}
    if found:
        taken = Counter(job.gpu for job in running)
        out["CUDA_VISIBLE_DEVICES"] = min(found, key=taken.__getitem__)
    return out


def stop(kind: int) -> None:
    """Pass a signal on to all that the stages run, and wait; what is left after GRACE seconds, or another Ctrl-C, is killed.

    A terminal sends Ctrl-C to all by itself, so only what has not ended SOON gets the signal from here.
    """
    family = psutil.Process().children(recursive=True)
    with suppress(KeyboardInterrupt):
        _, family = psutil.wait_procs(family, SOON)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(kind)
        _, family = psutil.wait_procs(family, GRACE)
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
