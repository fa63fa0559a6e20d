"""Overrides of params.yaml by recipes and KEY=VALUE: read, check and apply them, and turn them into DVC's options."""
import json
import subprocess
from pathlib import Path

import yaml

from stages.core.errors import UserError
from stages.core.params import FILE, TRAINING, Params, is_model, parse
from stages.core.yaml_file import load, read_yaml
from tools.shared.inputs import check_files

FOLDER = Path("recipes")
MAPS = ("weights", "attribute_losses", "columns")  # maps: params.yaml need not list their keys, which the schema checks


def flatten(values: dict, prefix: str = "") -> dict:
    """{'age': {'lr': 1}} as {'age.lr': 1}."""
    out = {}
    for key, value in values.items():
        out |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {f"{prefix}{key}": value}
    return out


def read_recipe(name: str) -> dict:
    """The overrides of recipes/<name>.yaml, flattened."""
    path = FOLDER / f"{name}.yaml"
    if "/" in name or not path.is_file():
        found = ", ".join(sorted(file.stem for file in FOLDER.glob("*.yaml")))
        raise UserError(f"{path}: no such recipe; there are {found}")
    values = read_yaml(path) or {}
    if not isinstance(values, dict):
        raise UserError(f"{path}: holds no parameters")
    return flatten(values)


def read_settings(words: list[str]) -> dict:
    """The overrides of KEY=VALUE words, each value read as YAML."""
    out = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise UserError(f"{word!r}: not KEY=VALUE, such as age.loss=focal")
        try:
            read = load(value)
            out |= flatten({key: read}) if read else {key: read}
        except yaml.YAMLError:
            raise UserError(f"{word!r}: {value!r} is not YAML") from None
    return out


def read_words(words: list[str]) -> dict:
    """The overrides of command-line words: names of recipes, and KEY=VALUE, which override the recipes."""
    out = {}
    for name in [word for word in words if "=" not in word]:
        out = merge(out, read_recipe(name))
    return merge(out, read_settings([word for word in words if "=" in word]))


def merge(first: dict, second: dict) -> dict:
    """Two sets of overrides as one; the second wins.

    A `training` key in the second applies to every model, so it removes the first's values of that key for single models.
    """
    shared = {key.removeprefix(f"{TRAINING}.") for key in second if key.startswith(f"{TRAINING}.")}
    of_models = {key for key in first if key.split(".")[0] not in Params.model_fields and key.partition(".")[2] in shared}
    return {key: value for key, value in first.items() if key not in of_models} | second


def sources_of(words: list[str], settings: str = "") -> dict[str, str]:
    """The source of each key of read_words: the recipe's file; for KEY=VALUE, `settings`, or the word itself if empty."""
    out = {}
    for name in [word for word in words if "=" not in word]:
        out |= dict.fromkeys(read_recipe(name), str(FOLDER / f"{name}.yaml"))
    for word in [word for word in words if "=" in word]:
        out |= dict.fromkeys(read_settings([word]), settings or word)
    return out


def is_in_map(key: str) -> bool:
    """Whether a key is an entry of a map, such as combine.weights.age or paint.source.columns.age."""
    return key.count(".") >= 2 and key.split(".")[-2] in MAPS


def is_shared(key: str, values: dict) -> bool:
    """Whether a key gives one model its own value of a `training` key, such as age.ema."""
    name, _, last = key.partition(".")
    return is_model(values.get(name)) and last in values.get(TRAINING, {})


def apply_overrides(overrides: dict, values: dict, sources: dict[str, str]) -> dict:
    """Apply overrides to the values of a params.yaml, in place, and return them.

    Raises UserError for an unknown key, and for a `training` key of which a model has its own value.
    """
    for key, value in overrides.items():
        *path, last = key.split(".")
        section = values
        for part in path:
            section = section.get(part) if isinstance(section, dict) else None
        if not isinstance(section, dict) or not (last in section or is_in_map(key) or is_shared(key, values)):
            raise UserError(f"{sources[key]}: {key}: no such parameter in {FILE}")
        section[last] = value
        if path == [TRAINING] and (own := [name for name in values if is_model(values[name]) and last in values[name]
                                           and f"{name}.{last}" not in overrides]):
            raise UserError(f"{sources[key]}: {key}: {', '.join(own)} in {FILE} has its own {last}, which counts; set that")
    return values


def check(overrides: dict, values: dict, sources: dict[str, str]) -> None:
    """Check the values of a params.yaml with the overrides applied.

    Raises UserError for an unknown key, a wrong value or a missing file, naming its source by `sources`.
    """
    check_files(check_values(overrides, values, sources), sources)


def check_values(overrides: dict, values: dict, sources: dict[str, str]) -> Params:
    """Parameters of the values of a params.yaml with the overrides applied; raises UserError for a wrong key or value."""
    values = apply_overrides(overrides, values, sources)
    try:
        return parse(values)
    except UserError as error:
        said = str(error).removeprefix(f"{FILE}: ")
        where = [source for key, source in sources.items() if key in said] or [str(FILE), *sources.values()]
        raise UserError(f"{', '.join(dict.fromkeys(where))}: {said}") from None


def committed() -> bytes:
    """The last commit's params.yaml."""
    done = subprocess.run(["git", "show", f"HEAD:./{FILE}"], check=False, capture_output=True)
    if done.returncode:
        raise UserError(f"{FILE}: no commit has it ({done.stderr.decode().strip()}); an experiment starts from a commit")
    return done.stdout


def uncommitted() -> list[str]:
    """Keys of params.yaml that differ from the last commit."""
    now, then = flatten(read_yaml(FILE)), flatten(load(committed()))
    return sorted(key for key in now.keys() | then.keys() if key not in now or key not in then or now[key] != then[key])


def settings_of(overrides: dict, values: dict) -> list[str]:
    """Options of `dvc exp run` for overrides of the values of a params.yaml.

    Values are JSON, since -S accepts it for lists, numbers, null and quoted text alike. -S only adds to a map, so a map is
    emptied entry by entry.
    """
    out = []
    for key, value in overrides.items():
        if value == {}:
            out += [f"~{entry}" for entry in flatten(values) if entry.startswith(f"{key}.")]
        else:
            out.append(f"{'++' if is_in_map(key) or is_shared(key, values) else ''}{key}={json.dumps(value)}")
    return [part for word in out for part in ("-S", word)]
