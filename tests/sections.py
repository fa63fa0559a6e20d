"""Sections of params.yaml as shipped, with changes, for tests of what reads them."""
import yaml

from stages.core.model_params import Model
from stages.core.params import parse
from tests.conftest import ROOT

SHIPPED = yaml.safe_load((ROOT / "params.yaml").read_text())


def section(name: str = "age", **changes) -> Model:
    """A model's section, checked as the pipeline checks it."""
    return parse(SHIPPED | {name: SHIPPED[name] | changes}).sections[name]
