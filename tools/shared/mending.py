"""What a kill leaves of DVC's own files, and how they are mended before DVC stumbles over them.

DVC writes its table of locks and dvc.lock in place, so a kill at that moment leaves half of one, with which no DVC starts. At
Ctrl-C it takes out of .gitignore all that the run added, also what stages wrote that had ended, and git then sees that.
"""
import json
import re
import subprocess
import time
from pathlib import Path

import yaml
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from voluptuous import Invalid

from stages.core.files import atomic_write

LOCKS = Path(".dvc/tmp/rwlock")  # which process reads and writes what
ENTRY = re.compile(r"^  [^ ].*:$", re.MULTILINE)  # where a stage's begins in dvc.lock
PAUSE = 1.0  # seconds in which a DVC that writes it now has done so


def mend() -> None:
    """Mend all of them, and print a note on each."""
    mend_locks()
    for name in ("data/dvc", "dvc"):
        mend_lock_file(Path(f"{name}.lock"))
        mend_ignored(Path(f"{name}.yaml"), Path(f"{name}.lock"))


def mend_locks() -> None:
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


def mend_lock_file(file: Path) -> None:
    """Drop the last entries of a dvc.lock until DVC can read the others; their stages run again, or come from the cache."""
    if not file.is_file() or is_lock_file(text := file.read_text(errors="replace")):
        return
    time.sleep(PAUSE)
    if not file.is_file() or file.read_text(errors="replace") != text:
        return
    entries = [match.start() for match in ENTRY.finditer(text)]
    whole = next((text[:end] for end in reversed(entries) if is_lock_file(text[:end])), "")
    if whole:
        with atomic_write(file) as part:
            part.write_text(whole)
    else:
        file.unlink()
    print(f"note: {file}: cut off, as by a kill, and mended: {len(ENTRY.findall(whole))} of {len(entries)} entries are whole")


def mend_ignored(pipeline: Path, locked: Path) -> None:
    """Add what DVC keeps of a pipeline, and git would take, to the .gitignore files, as DVC does when it makes it."""
    stages, ran, outs = stages_in(pipeline), stages_in(locked), []
    for name, entry in ran.items():
        kept = [out for out in stages.get(name.split("@")[0], {}).get("outs") or [] if isinstance(out, str)]  # not by git
        for out in kept:  # in the order in which DVC adds them; dvc.lock sorts them
            pattern = ".+".join(map(re.escape, re.split(r"\$\{item[^}]*\}", out)))
            outs += [made["path"] for made in entry.get("outs", []) if re.fullmatch(pattern, made["path"])]
    outs = [path for path in outs if Path(path).exists()]
    for path in seen_by_git(outs):
        file = Path(path).parent / ".gitignore"
        before = file.read_text() if file.is_file() else ""
        file.write_text(before + "\n" * (before[-1:] not in ("", "\n")) + f"/{Path(path).name}\n")
        print(f"note: {file}: /{Path(path).name} was missing, as after Ctrl-C, and is there again")


def seen_by_git(paths: list[str]) -> list[str]:
    """Those of the paths that git neither ignores nor tracks; none outside a repository."""
    known = [subprocess.run(["git", *words], check=False, input="\0".join(paths), capture_output=True, text=True)
             for words in (["check-ignore", "--stdin", "-z"], ["ls-files", "-z", "--", *paths])]
    if not paths or any(done.returncode > 1 for done in known):
        return []
    listed = {path for done in known for path in done.stdout.split("\0")}
    return [path for path in paths if path not in listed]


def stages_in(file: Path) -> dict[str, dict]:
    """The stages of a dvc.yaml or a dvc.lock; none where it is not as DVC has it, which DVC says in its own words."""
    try:
        stages = load(file.read_text())["stages"]
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return {}
    whole = isinstance(stages, dict) and all(isinstance(stage, dict) for stage in stages.values())
    return stages if whole else {}


def load(text: str) -> dict:
    """The YAML of DVC's files, by the fastest loader there is."""
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def is_lock_file(text: str) -> bool:
    try:
        COMPILED_LOCKFILE_SCHEMA(load(text))
    except (yaml.YAMLError, Invalid):
        return False
    return True
