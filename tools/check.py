"""Check params.yaml, that the files it names exist, and DVC's own files, before DVC starts. Run: python -m tools.check

DVC writes its table of locks and dvc.lock in place, so that a kill at that moment leaves half of one.
"""
import json
import time
from pathlib import Path

import yaml

from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.params import read_params
from tools.shared.inputs import check_files

LOCKS = Path(".dvc/tmp/rwlock")  # which process reads and writes what
PAUSE = 1.0  # seconds in which a DVC that writes it now has done so


def main():
    check_files(read_params(), {})
    check_locks()
    for file in (Path("dvc.lock"), Path("data/dvc.lock")):
        check_lock_file(file)


def check_locks() -> None:
    """Remove a table of locks that is no JSON: no DVC could start, and none that runs would leave it so."""
    if LOCKS.is_file() and not is_json(LOCKS):
        time.sleep(PAUSE)
        if LOCKS.is_file() and not is_json(LOCKS):
            LOCKS.unlink()
            print(f"note: {LOCKS}: cut off, as by a kill, and removed; DVC makes it anew")


def is_json(file: Path) -> bool:
    try:
        json.loads(file.read_bytes())
    except ValueError:
        return False
    return True


def check_lock_file(file: Path) -> None:
    """Raises UserError if it is no YAML."""
    try:
        if file.is_file():
            yaml.load(file.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        raise UserError(f"{file}: cut off, as by a kill; git checkout {file} brings back the last commit's, and dvc repro "
                        "takes what has run since from its cache") from None


if __name__ == "__main__":
    run(main, words=False)
