"""Run a recipe as one DVC experiment. Run: python -m tools.recipe NAME [KEY=VALUE ...]

recipes/NAME.yaml holds overrides of params.yaml, in its shape; KEY=VALUE adds to them. `dvc exp show` compares what
several recipes gave. Everything is checked before anything runs.
"""
import argparse
import json
import os
import shlex
import subprocess
from itertools import chain, count
from pathlib import Path

import yaml

from stages.lib.errors import UserError, run
from stages.lib.params import FILE, parse, read_yaml

FOLDER = Path("recipes")


def flat(values: dict, prefix: str = "") -> dict:
    """{'age': {'lr': 1}} as {'age.lr': 1}."""
    out = {}
    for key, value in values.items():
        out |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return out


def read_recipe(name: str) -> dict:
    """The overrides of recipes/<name>.yaml, flat."""
    path = FOLDER / f"{name}.yaml"
    if not path.is_file():
        found = ", ".join(sorted(file.stem for file in FOLDER.glob("*.yaml")))
        raise UserError(f"{path}: no such recipe; there are {found}")
    values = read_yaml(path) or {}
    if not isinstance(values, dict):
        raise UserError(f"{path}: holds no parameters")
    return flat(values)


def read_settings(words: list[str]) -> dict:
    """KEY=VALUE words, each value read as YAML."""
    out = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise UserError(f"{word!r}: not KEY=VALUE, such as age.loss=focal")
        try:
            out[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise UserError(f"{word!r}: {value!r} is not YAML") from None
    return out


def overridden(overrides: dict, source: str) -> None:
    """Check params.yaml as it would be with the overrides; raises UserError naming an unknown key or a wrong value."""
    values = read_yaml(FILE)
    for key, value in overrides.items():
        *path, last = key.split(".")
        section = values
        for part in path:
            section = section.get(part) if isinstance(section, dict) else None
        if not isinstance(section, dict) or last not in section:
            raise UserError(f"{source}: {key}: no such parameter in {FILE}")
        section[last] = value
    try:
        root = Path(parse(values).data.root)
    except UserError as error:
        raise UserError(f"{source}: {error}") from None
    if root != Path("data/sample") and not root.is_dir():
        raise UserError(f"{source}: data.root: {str(root)!r} is no folder; put the photos there, or add data.root=FOLDER")


def free_name(name: str) -> str:
    """The name, or name-2, name-3, ... where an experiment has it, so that no result is lost."""
    command = ["dvc", "exp", "list", "--all-commits", "--name-only"]
    listed = subprocess.run(command, check=False, capture_output=True, text=True)
    taken = set(listed.stdout.split())
    return next(n for n in chain([name], (f"{name}-{i}" for i in count(2))) if n not in taken)


def main():
    parser = argparse.ArgumentParser(prog="python -m tools.recipe", description=__doc__.split("\n\n")[0])
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("set", metavar="KEY=VALUE", nargs="*")
    words = parser.parse_args()
    overrides = read_recipe(words.name) | read_settings(words.set)
    overridden(overrides, f"recipe {words.name}")
    # JSON is what DVC's -S takes for lists, numbers, null and quoted text alike
    settings = [part for key, value in overrides.items() for part in ("-S", f"{key}={json.dumps(value)}")]
    command = ["dvc", "exp", "run", "--name", free_name(words.name), *settings]
    print(shlex.join(command), flush=True)
    os.execvp(command[0], command)


if __name__ == "__main__":
    run(main)
