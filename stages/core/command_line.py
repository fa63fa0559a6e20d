"""Run a stage or tool: print a user's error as one line without a traceback, and log the time of each run.

Every stage and tool ends with `if __name__ == "__main__": run(main)`.
"""
import os
import platform
import sqlite3
import sys
import time
from pathlib import Path

from stages.core.errors import UserError, one_line
from stages.core.stage_progress import announce

WORKER_LOST = ("is killed by signal", "exited unexpectedly", "terminated abruptly", "shared memory")
LOG = Path("logs/times.csv")  # git-ignored and no output of a stage, since times differ from run to run


def arguments(*names: str) -> list[str]:
    """The command-line arguments, one for each name; raises UserError for fewer or more.

    -h or --help prints the module's docstring and exits.
    """
    words = sys.argv[1:]
    if words in (["-h"], ["--help"]):
        print(sys.modules["__main__"].__doc__.strip())
        sys.exit()
    if len(words) != len(names):
        raise UserError(f"needs {' '.join(names) or 'no words'}, and got {' '.join(words) or 'none'}")
    return words


def fail(message: str) -> None:
    print(f"error: {one_line(message)}", file=sys.stderr)
    sys.exit(1)


def run(main, words: bool = True) -> None:
    """Call main() and log its seconds; print a UserError or OSError as one line on stderr and exit with status 1.

    words: whether main() takes command-line arguments; if not, any argument is an error.
    """
    started = time.monotonic()
    sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be no text
    try:
        if not words:
            arguments()
        announce(LOG)
        main()
    except UserError as error:
        fail(str(error))
    except FileNotFoundError as error:  # a stage run by hand before those it needs; pyarrow sets no filename
        fail(f"{error.filename or error}: no such file; `dvc repro` makes what earlier stages write")
    except BrokenPipeError:  # `| head` has read enough; discard the rest
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # a full or read-only disk, a folder in place of a file
        fail(": ".join(map(str, filter(None, (error.filename, error.strerror or error)))))
    except sqlite3.OperationalError as error:
        fail(f"a database that DVC or dvclive keeps its notes in: {error}; is the disk full?")
    except (MemoryError, RuntimeError) as error:
        if lost := lost_worker(error):
            fail(f"a process that prepares photos is lost ({lost}); give it more memory or a larger /dev/shm, or lower "
                 "machine.workers")
        if not lacks_memory(error):
            raise
        fail(f"not enough memory ({str(error).splitlines()[0] if str(error) else 'none is left'}); lower machine.batch, or the "
             "model's batch or image_size")
    except KeyboardInterrupt:
        sys.exit(130)
    try:
        log_seconds(main.__globals__["__spec__"].name, time.monotonic() - started)
    except OSError as error:  # main() itself succeeded, so this is no failure
        print(f"warning: {LOG}: {error.strerror}, so the time is not noted", file=sys.stderr)


def lost_worker(error: Exception) -> str | None:
    """What torch or Python say of a worker that was killed or found no shared memory, or None: it has no error of its own."""
    return next((line.strip() for line in str(error).splitlines() for sign in WORKER_LOST if sign in line), None)


def lacks_memory(error: Exception) -> bool:
    """Whether Python, NumPy or torch, on a CPU or a GPU, found no memory: torch says so in its text alone."""
    return isinstance(error, MemoryError) or "out of memory" in str(error) or "can't allocate memory" in str(error)


def log_seconds(name: str, seconds: float) -> None:
    """Append a line to LOG: when, machine, module, arguments, seconds."""
    LOG.parent.mkdir(exist_ok=True)
    with open(LOG, "a") as log:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S")
        print(stamp, platform.node(), name, *sys.argv[1:], f"{seconds:.1f}", sep=",", file=log)
