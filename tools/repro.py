"""dvc repro with independent stages side by side. Run: python -m tools.repro [--jobs 4] [TARGET ...]

DVC runs one stage at a time. Here a stage that is out of date starts, as `dvc repro --single-item STAGE`, as soon as all that
it depends on is done, at most `jobs` at once. Each gets its share of the cores (OMP_NUM_THREADS, unless it is set) and, where
there are GPUs, the one with the fewest stages on it (of CUDA_VISIBLE_DEVICES, if it is set). For the same number of threads
all files, dvc.lock too, are those of `dvc repro`.

A stage that fails stops those that depend on it; the others go on, and the exit status is 1. What each stage prints is kept in
logs/repro/. Ctrl-C stops all; run it again to go on. TARGET: stages, or nothing for the whole pipeline.
"""
import argparse
import signal
import time

from labeller.parser import Parser
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.progress import duration
from tools.shared.jobs import Job, Screen, gpus, share, stop
from tools.shared.mending import mend
from tools.shared.pipeline import Pipeline

BUSY = "is busy, it is being blocked by"  # DVC's words where another command works on a stage's files
TICK = 0.2  # seconds between two looks at what runs


class Schedule:
    """Which stages wait, run and have ended: `ended` says how, "ran", "same", "failed" or "not run"."""

    def __init__(self, pipeline: Pipeline, jobs: int):
        self.pipeline, self.jobs, self.gpus, self.screen = pipeline, jobs, gpus(), Screen()
        self.waiting, self.running, self.asked = list(pipeline.order), [], set()
        self.blocked: set[str] = set()  # by what a killed run left behind
        self.ended: dict[str, str] = {}

    def run(self) -> None:
        """Until all have ended."""
        try:
            while self.waiting or self.running:
                self.start(self.ready())
                self.screen.show(self.running)
                time.sleep(TICK)
                for job in [job for job in self.running if job.process.poll() is not None]:
                    self.screen.show(self.running)
                    self.running.remove(job)
                    self.end(job)
        except KeyboardInterrupt as interrupt:
            self.screen.erase()
            stop(interrupt.args[0] if interrupt.args else signal.SIGINT)
            mend()
            raise

    def ready(self) -> list[str]:
        """Stages that are out of date, while all that they need has ended."""
        while True:
            ready = [name for name in self.waiting if self.pipeline.needs[name] <= self.ended.keys()]
            fresh = [name for name in ready if name not in self.asked]
            if not fresh:
                return ready
            self.asked |= set(fresh)
            for name in set(fresh) - self.pipeline.changed(fresh):
                self.note(name, "same")

    def note(self, name: str, how: str) -> None:
        self.waiting.remove(name)
        self.ended[name] = how

    def start(self, ready: list[str]) -> None:
        """Start as many of the stages as may run."""
        for name in ready[: self.jobs - len(self.running)]:
            self.waiting.remove(name)
            self.running.append(Job(name, share(self.jobs, self.gpus, self.running)))
            done = f"{len(self.ended)} of {len(self.pipeline.order)}"
            if name not in self.blocked:
                self.screen.say(f"{name} starts ({len(self.running)} run, {done} are done)")

    def end(self, job: Job) -> None:
        """What follows from how a stage ended."""
        took = f"after {duration(time.monotonic() - job.began)}"
        if job.process.returncode == 0:
            self.ended[job.name] = "ran"
            self.screen.say(f"{job.name} is done {took}")
        elif BUSY in job.log.read_text(errors="replace"):  # and it will end
            if job.name not in self.blocked:
                self.screen.say(f"{job.name} waits for another dvc that works on its files")
            self.blocked.add(job.name)
            self.waiting.append(job.name)
            time.sleep(1)
        else:
            self.ended[job.name] = "failed"
            self.screen.say(f"{job.name} failed {took} ({job.log}): {job.last_line()}")
            for name in self.pipeline.after(job.name) & set(self.waiting):
                self.note(name, "not run")


def interrupted(kind: int, _) -> None:
    raise KeyboardInterrupt(kind)


def main():
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--jobs", default="1", help="stages at once")
    args = parser.parse_args()
    if not args.jobs.isdecimal() or not 1 <= int(args.jobs) <= 1000:
        raise UserError(f"--jobs: {args.jobs!r} must be a whole number from 1 to 1000")
    jobs = int(args.jobs)
    signal.signal(signal.SIGTERM, interrupted)
    mend()  # what a kill left
    pipeline, began = Pipeline(args.targets), time.monotonic()
    threads = share(jobs, [], [])["OMP_NUM_THREADS"]
    print(f"{len(pipeline.order)} stages, {jobs} at once, each as with OMP_NUM_THREADS={threads} dvc repro", flush=True)
    schedule = Schedule(pipeline, jobs)
    with pipeline.in_order():
        schedule.run()
    schedule.screen.erase()
    of = {how: [name for name in pipeline.order if schedule.ended[name] == how] for how in ("ran", "same", "failed", "not run")}
    print(f"{len(of['ran'])} stages ran in {duration(time.monotonic() - began)}, {len(of['same'])} did not change")
    if of["failed"]:
        raise UserError(f"failed: {', '.join(of['failed'])}" + f"; not run: {', '.join(of['not run'])}" * bool(of["not run"]))


if __name__ == "__main__":
    run(main)
