"""A mistake on the command line, or a stage run by hand too early, ends in one line."""
import importlib
import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pandas as pd
import pytest

from stages.core.command_line import arguments, run
from stages.core.errors import UserError
from stages.modeling.checkpoints import load_model
from tests.conftest import ROOT, Project


@pytest.mark.parametrize("words, said", [
    ([], "needs MODEL FOLD, and got none"),
    (["age", "0", "1"], "needs MODEL FOLD, and got age 0 1"),
])
def test_words_that_are_missing_or_too_many_are_named(monkeypatch, words, said):
    monkeypatch.setattr("sys.argv", ["stages.train", *words])
    with pytest.raises(UserError, match=said):
        arguments("MODEL", "FOLD")


def test_as_many_words_as_there_are_names_are_given_back(monkeypatch):
    monkeypatch.setattr("sys.argv", ["stages.train", "age", "0"])
    assert arguments("MODEL", "FOLD") == ["age", "0"]


def test_words_that_nobody_reads_are_a_mistake(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["stages.combine", "age"])
    with pytest.raises(SystemExit):
        run(lambda: pytest.fail("ran"), words=False)
    assert capsys.readouterr().err == "error: needs no words, and got age\n"


@pytest.mark.parametrize("module", ["stages.split", "stages.labels", "tools.check"])
def test_help_says_what_a_module_does_and_runs_nothing(warm, module):
    done = Project(ROOT).python(module, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == importlib.import_module(module).__doc__.strip()


def test_a_reader_that_has_enough_is_no_mistake():
    code = "from stages.core.command_line import run\ndef main():\n    print('x' * 10**6, flush=True)\nrun(main)"
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    running.stdout.read(1)
    running.stdout.close()
    assert running.stderr.read() == ""
    assert running.wait() == 1


LOST = "give it more memory or a larger /dev/shm, or lower machine.workers\n"


@pytest.mark.parametrize("mistake, line", [
    (UserError("params.yaml: age.lr = -1: must be above 0"), "error: params.yaml: age.lr = -1: must be above 0\n"),
    (FileNotFoundError(2, "No such file or directory", "data/faces/faces.json"),
     "error: data/faces/faces.json: no such file; `dvc repro` makes what earlier stages write\n"),
    (OSError(28, "No space left on device", "data/folds.csv"), "error: data/folds.csv: No space left on device\n"),
    (OSError(28, "No space left on device"), "error: No space left on device\n"),
    (sqlite3.OperationalError("database or disk is full"),
     "error: a database that DVC or dvclive keeps its notes in: database or disk is full; is the disk full?\n"),
    (MemoryError(), "error: not enough memory (none is left); lower machine.batch, or the model's batch or image_size\n"),
    (RuntimeError("CUDA out of memory.\nSee"),
     "error: not enough memory (CUDA out of memory.); lower machine.batch, or the model's batch or image_size\n"),
    (RuntimeError("Caught RuntimeError in DataLoader worker process 0.\nTraceback\nRuntimeError: no shared memory(shm)\n"),
     f"error: a process that prepares photos is lost (RuntimeError: no shared memory(shm)); {LOST}"),
    (BrokenProcessPool("A process in the process pool was terminated abruptly"),
     f"error: a process that prepares photos is lost (A process in the process pool was terminated abruptly); {LOST}"),
    (OSError(36, "File name too long", "a\nb\udcff"), "error: a\\nb\\udcff: File name too long\n"),
])
def test_a_mistake_is_one_line_and_status_1(capsys, mistake, line):
    def main():
        raise mistake

    with pytest.raises(SystemExit) as ended:
        run(main)
    assert ended.value.code == 1
    assert capsys.readouterr().err == line


def test_what_is_done_stays_done_where_its_time_cannot_be_noted(here, capsys):
    (here / "logs").write_text("a file where the folder should be")
    run(lambda: None)
    assert capsys.readouterr().err.startswith("warning: logs/times.csv: ")


@pytest.mark.parametrize("read", [lambda: pd.read_parquet("data/none.parquet"), lambda: load_model(Path("models/age/none"))])
def test_a_file_that_a_library_misses_is_named(here, capsys, read):
    def main():
        read()

    with pytest.raises(SystemExit):
        run(main)
    [line] = capsys.readouterr().err.splitlines()
    assert "data/none.parquet" in line or "models/age/none" in line


def imported(here, instead_of_pandas: str) -> subprocess.CompletedProcess:
    """A stage whose first library is this text."""
    (here / "pandas.py").write_text(instead_of_pandas)
    env = os.environ | {"PYTHONPATH": f"{here}:{ROOT}"}
    return subprocess.run([sys.executable, "-m", "stages.index"], check=False, env=env, capture_output=True, text=True)


def test_ctrl_c_while_a_stage_still_imports_prints_no_traceback(here):
    """The import is cut short by the signal that a terminal sends."""
    done = imported(here, "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n")
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


@pytest.mark.parametrize("text, line", [
    ("import no_such", f"error: {sys.executable} has no package no_such; run source .venv/bin/activate, or make env"),
    ("raise ImportError('libtorch.so: failed to map segment from shared object')",
     "error: not enough memory to load what is needed (libtorch.so: failed to map segment from shared object)"),
    ("raise MemoryError('none')", "error: not enough memory to load what is needed (none)"),
])
def test_another_python_or_too_little_memory_is_one_line(here, text, line):
    done = imported(here, text)
    assert (done.returncode, done.stderr) == (1, line + "\n")


def test_a_fault_of_the_code_has_its_traceback(here):
    assert "ZeroDivisionError" in imported(here, "1 / 0").stderr
    assert "stages.nothing" in imported(here, "import stages.nothing").stderr
