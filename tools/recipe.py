"""Run recipes or single values as one DVC experiment. Run: python -m tools.recipe NAME or KEY=VALUE ... [--name EXPERIMENT]

recipes/NAME.yaml holds overrides of params.yaml, in its shape. Later recipes override earlier ones, and KEY=VALUE overrides
all. Everything is checked before anything runs; `dvc exp show` compares the results. All other values come from
params.yaml, or from the last commit's if an experiment left params.yaml as it is; prints what differs from the commit.
"""
import copy
import os
import re
import shlex
from itertools import chain, count

from labeller.parser import Parser
from stages.core.command_line import run
from stages.core.params import FILE
from stages.core.yaml_file import load, read_yaml
from tools.shared.overrides import check, committed, read_words, settings_of, sources_of, uncommitted
from tools.shared.revisions import git, revisions


def left_by() -> str | None:
    """The experiment that left its params.yaml in the workspace, or None if none did or it is the last commit's."""
    found, now = revisions(), git("hash-object", str(FILE))
    head, *left = git("rev-parse", *(f"{revision}:./{FILE}" for revision in ("HEAD", *found.values()))).splitlines()
    return None if now == head else next((name for name, blob in zip(found, left) if blob == now), None)


def name_of(words: list[str]) -> str:
    """The recipes' names, or without any the settings, in characters that DVC allows."""
    recipes = [word for word in words if "=" not in word]
    return "-".join(recipes) or re.sub(r"[^A-Za-z0-9]+", "-", " ".join(words)).strip("-")


def free_name(name: str) -> str:
    """The name, or name-2, name-3, ... if an experiment already has it, so that no result is lost."""
    taken = revisions()
    return next(n for n in chain([name], (f"{name}-{i}" for i in count(2))) if n not in taken)


def main():
    parser = Parser(prog="python -m tools.recipe", description=__doc__.split("\n\n")[0])
    parser.add_argument("words", metavar="NAME or KEY=VALUE", nargs="+")
    parser.add_argument("--name", metavar="EXPERIMENT", help="name of the experiment; default: the recipes or values")
    args = parser.parse_args()
    words = args.words
    overrides, before = read_words(words), load(committed())
    if not (left := left_by()):
        before = read_yaml(FILE)
    check(overrides, copy.deepcopy(before), sources_of(words))
    name = free_name(args.name or name_of(words))
    if left:
        FILE.write_bytes(committed())
        print(f"{FILE} was as {left} left it; {name} starts from that of the last commit")
    elif others := [key for key in uncommitted() if key not in overrides]:
        print(f"{FILE} differs from the last commit in {', '.join(others)}, and so will {name}; "
              f"`git checkout HEAD {FILE}` before it starts from the commit")
    command = ["dvc", "exp", "run", "--name", name, *settings_of(overrides, before)]
    print(shlex.join(command), flush=True)
    os.execvp(command[0], command)


if __name__ == "__main__":
    run(main)
