"""Run a stage or a tool: a mistake ends in one clear line, never in a traceback, and every run leaves its time in a log.

Every stage and tool closes with `if __name__ == "__main__": run(main)`.
"""
import os
import platform
import sys
import time
from pathlib import Path

from stages.core.errors import UserError
from stages.core.plan import announce

LOG = Path("logs/times.csv")  # git-ignored and no stage's output: times differ from run to run


def arguments(*names: str) -> list[str]:
    """The words of the command line, as many as there are names; raises UserError where there are fewer or more.

    -h or --help prints what the module says of itself, and ends.
    """
    words = sys.argv[1:]
    if words in (["-h"], ["--help"]):
        print(sys.modules["__main__"].__doc__.strip())
        sys.exit()
    if len(words) != len(names):
        raise UserError(f"needs {' '.join(names) or 'no words'}, and got {' '.join(words) or 'none'}")
    return words


def fail(message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


def run(main, words: bool = True) -> None:
    """Call main(), turn a mistake or a full disk into one line on stderr and exit status 1, and log the seconds it took.

    words: whether main() reads words of the command line; where it does not, they are a mistake.
    """
    started = time.monotonic()
    try:
        if not words:
            arguments()
        announce(LOG)
        main()
    except UserError as error:
        fail(str(error))
    except FileNotFoundError as error:  # a stage that is run by hand before those that it needs; pyarrow names no file
        fail(f"{error.filename or error}: no such file; `dvc repro` makes what earlier stages write")
    except BrokenPipeError:  # `| head` has read enough; what is left to print goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # a disk that is full or cannot be written, a folder where a file should be
        fail(": ".join(map(str, filter(None, (error.filename, error.strerror or error)))))
    except KeyboardInterrupt:
        sys.exit(130)
    try:
        note(main.__globals__["__spec__"].name, time.monotonic() - started)
    except OSError as error:  # what was to be done is done
        print(f"warning: {LOG}: {error.strerror}, so the time is not noted", file=sys.stderr)


def note(name: str, seconds: float) -> None:
    """Add a line to the log."""
    LOG.parent.mkdir(exist_ok=True)
    with open(LOG, "a") as log:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S")
        print(stamp, platform.node(), name, *sys.argv[1:], f"{seconds:.1f}", sep=",", file=log)
