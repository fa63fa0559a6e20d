"""Search spaces: read a file of recipes/search/ as Optuna's distributions."""
import json
from typing import Annotated

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from pydantic import TypeAdapter, ValidationError

from stages.core.errors import UserError
from stages.core.model_params import Model
from stages.core.params import describe
from stages.core.yaml_file import read_yaml
from tools.shared.overrides import FOLDER

SPACES = FOLDER / "search"

Space = dict[str, CategoricalDistribution | FloatDistribution | IntDistribution]


def read_space(name: str, model: str, section: Model) -> Space:
    """Distributions by key, such as age.lr; raises UserError naming a line of the wrong form or that the schema refuses."""
    path = SPACES / f"{name}.yaml"
    if "/" in name or not path.is_file():
        raise UserError(f"{path}: no such space; there are {', '.join(sorted(file.stem for file in SPACES.glob('*.yaml')))}")
    lines = read_yaml(path)
    if not (isinstance(lines, dict) and lines):
        raise UserError(f"{path}: must hold lines `lr: {{low: 1e-4, high: 1e-2, log: true}}` or `loss: [focal, f1]`")
    space = {}
    for parameter, values in lines.items():
        if parameter not in type(section).model_fields or parameter == "attribute":
            raise UserError(f"{path}: {parameter}: no parameter of {model} that can be searched")
        key, source = f"{model}.{parameter}", f"{path}: {parameter} = {values!r}"
        if isinstance(values, list):
            values = [validate(section, key, value, source) for value in values]
        space[key] = distribution(values, source)
        for end in () if isinstance(values, list) else (space[key].low, space[key].high):
            validate(section, key, end, source)
    return space


def validate(section: Model, key: str, value, source: str):
    """A value in the schema's form, such as [light] for light; raises UserError if the schema refuses it.

    Combinations of values are checked only in a trial.
    """
    field = type(section).model_fields[key.split(".")[1]]
    schema = TypeAdapter(Annotated[field.annotation, field])
    try:
        return schema.dump_python(schema.validate_python(value), mode="json")
    except ValidationError as error:
        raise UserError(f"{source}: {'; '.join(describe(problem, key) for problem in error.errors())}") from None


def distribution(values, source: str) -> CategoricalDistribution | FloatDistribution | IntDistribution:
    """Distribution of a list, over its values as JSON, since Optuna stores text; or of {low, high, and log or step}, over
    integers if all of these are, else floats."""
    if isinstance(values, list) and values:
        return CategoricalDistribution([json.dumps(value) for value in values])
    if not (isinstance(values, dict) and {"low", "high"} <= values.keys() <= {"low", "high", "log", "step"}):
        raise UserError(f"{source}: must be a list of values, or {{low: , high: }} with `log: true` or a `step`")
    try:
        whole = all(isinstance(value, int) for value in values.values())  # `log: true` counts as an int, too
        numbers = {key: value if isinstance(value, int) else float(value) for key, value in values.items()}
        return (IntDistribution if whole else FloatDistribution)(**numbers)
    except (ValueError, TypeError) as error:
        raise UserError(f"{source}: {' '.join(str(error).split())}") from None
