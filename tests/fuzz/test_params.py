"""Whatever stands in params.yaml or a recipe, or as KEY=VALUE, it is read or refused."""
import copy

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stages.core.errors import UserError
from stages.core.params import Params, parse, read_params
from tests.conftest import ROOT
from tests.fuzz.bounds import bounded, fuzzed
from tests.fuzz.made import damaged, readable, texts
from tests.sections import SHIPPED
from tools.shared.overrides import apply_overrides, flatten, read_settings
from tools.shared.search_space import read_space

YAML = (ROOT / "params.yaml").read_bytes()
SCALARS = ["", "~", "null", "yes", "no", "on", "true", "0", "-1", "007", "0o17", "0x1F", "0b11", "1_000", "1:30", "190:20:30",
           ".inf", "-.inf",
           ".nan", "1e400", "3e-05", "1e-400", "9" * 400, "9" * 5000, "-" + "9" * 5000, "0x" + "f" * 5000, "2001-01-01",
           "2001-13-45", "2001-01-01t00:00:00Z", "2001-01-01 25:61:61", "<<", "=", "!!python/object:os.system x",
           "!!python/object/apply:os.system [true]", "!!python/name:os.system", "!!binary aGk=", "!!binary ?", "!!set {a, b}",
           "!!omap [a: 1]", "!!omap {a: 1}", "!!pairs [a: 1]", "!!int x", "!!float x", "!!bool x", "!!null x", "!!timestamp x",
           "!!map []", "!!seq {}", "!!str {a: 1}", "!!merge x", "!x y", "&a [*a]", "*a", "&a x", "[*nowhere]", "|\n  a\n  b",
           ">-\n x",
           "[]", "{}", "[[]]", "[a, b, a]", "{a: {b: c}}", "{? [a] : b}", "{[a]: b}", "{{}: b}", "{1: 2}", "{~: 2}",
           "{<<: {a: 1}}",
           "{<<: [1]}", "{<<: x}", "{2001-01-01: 1}", "{.nan: 1}", "{!!binary aGk=: 1}", "? a", "- a", "'", '"', '"\\ud800"',
           '"\\0"', "%TAG ! x",
           "--- a", "...", "\t", "[" * 400 + "]" * 400, "{a: " * 400 + "1" + "}" * 400, "@", "`", "a: b: c", "#", "auto",
           "focal", "age"]
scalars = st.sampled_from(SCALARS) | texts.map(readable)
KEYS = [*flatten(SHIPPED)]


@st.composite
def edited(draw) -> bytes:
    """params.yaml with the values of some keys, and further lines, from all that YAML has."""
    text = YAML.decode()
    for _ in range(draw(st.integers(1, 3))):
        lines = text.splitlines()
        at = draw(st.integers(0, len(lines) - 1))
        key, colon, _ = lines[at].partition(":")
        how = draw(st.sampled_from(["value", "value", "value", "add", "key", "delete"]))
        if how == "value" and colon:
            lines[at] = f"{key}: {draw(scalars)}"
        elif how == "key":
            lines[at] = f"{draw(scalars)}{lines[at][len(key):]}"
        elif how == "add":
            lines.insert(at, f"{draw(st.sampled_from(['', '  ', '- ']))}{draw(scalars)}: {draw(scalars)}")
        elif how == "delete":
            del lines[at]
        text = "\n".join(lines)
    return text.encode("utf-8", "replace")


@fuzzed
@given(data=edited() | damaged(YAML) | st.binary(max_size=100) | scalars.map(str.encode))
def test_params_yaml(tmp_path_factory, data):
    file = tmp_path_factory.getbasetemp() / "params.yaml"
    file.write_bytes(data)
    with bounded(UserError):
        read_params(file)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts.map(readable) | st.dates() | st.binary(max_size=3)
    | st.sampled_from(["focal", "age", "joint", "mask", "light", "none", 10**400, 2**63, 1e308, 5e-324]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts.map(readable) | st.integers() | st.none(), inner,
                                                                max_size=3),
    max_leaves=6)


@fuzzed
@given(changes=st.dictionaries(st.sampled_from(KEYS) | st.sampled_from([*SHIPPED]), values, min_size=1, max_size=4))
def test_values_of_any_type(changes):
    everything = copy.deepcopy(SHIPPED)
    for key, value in changes.items():
        *path, last = key.split(".")
        section = everything
        for part in path:
            section = section[part] if isinstance(section, dict) and isinstance(section.get(part), dict) else {}
        section[last] = value
    with bounded(UserError):
        assert isinstance(parse(everything), Params)


@fuzzed
@given(words=st.lists(st.builds("{}={}".format, st.sampled_from(KEYS) | st.sampled_from(["", ".", "age.", ".lr", "a.b.c",
                                                                                         "combine.weights.age",
                                                                                         "data.columns.age"])
                                                                                         | texts.map(readable),
                                scalars) | texts, min_size=1, max_size=3))
def test_settings(words):
    with bounded(UserError):
        settings = read_settings(words)
        parse(apply_overrides(settings, copy.deepcopy(SHIPPED), dict.fromkeys(settings, "a word")))


@fuzzed
@given(lines=st.dictionaries(st.sampled_from([*SHIPPED["age"], *SHIPPED["training"]]) | texts.map(readable),
                             st.lists(values, max_size=3) | st.fixed_dictionaries({"low": values, "high": values}, optional={
                                 "log": values, "step": values}) | values, min_size=1, max_size=2))
def test_a_search_space(tmp_path_factory, lines):
    folder = tmp_path_factory.getbasetemp()
    (folder / "recipes/search").mkdir(parents=True, exist_ok=True)
    (folder / "recipes/search/own.yaml").write_text(yaml.safe_dump(lines, allow_unicode=True), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, bounded(UserError):
        patch.chdir(folder)
        read_space("own", "age", parse(SHIPPED).sections["age"])
