"""YAML is read as DVC reads it, and what has no bounds is refused at once."""
import pytest
import yaml

from stages.core.errors import UserError
from stages.core.yaml_file import load, read_yaml


def test_numbers_as_dvc_writes_them_are_numbers():
    assert load("a: 3e-05\nb: [1E3, 2.5e+1, x]") == {"a": 3e-05, "b": [1000.0, 25.0, "x"]}


def test_anchors_and_merges_work_and_nothing_is_none():
    assert load("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: [*a, *a]") == {
        "a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": [{"x": 1, "y": 2}] * 2}
    assert load("") is None


LAUGHS = "a: &a [" + "x," * 10 + "]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 10)}]\n" for before, name in zip("abcdefghi", "bcdefghij"))


def test_a_byte_of_a_command_line_that_is_no_text_is_no_yaml():
    with pytest.raises(yaml.YAMLError, match="special characters are not allowed"):
        load("a: \udcff")


@pytest.mark.parametrize("text, reason", [
    ("a: 1\nb: 2\na: 3", "'a' stands twice, the second time in line 3"),
    ("x: " + "[" * 20000 + "]" * 20000, "it nests too deeply"),
    (LAUGHS, "its aliases stand for more than 50000 values"),
    ("a: &a [1, *a]", "its aliases stand for more than 50000 values"),
    (f"a: [{'1,' * 400_000}1]", "it holds more than 50000 values"),
    (f"%YAML 1.3\n---\na: [{'1,' * 400_000}1]", "it holds more than 50000 values"),  # which libyaml refuses
    ("a: [", "expected the node content"),
    ("a: 1\nb: " + "9" * 5000, "a number of 5000 characters in line 2"),
    ("a: 0x" + "f" * 5000, "a number of 5002 characters in line 1"),
    ("a: 2001-13-45", "'2001-13-45' in line 1 is no timestamp"),
    ("a: !!int x", "'x' in line 1 is no int"),
    ("a: !!bool x", "'x' in line 1 is no bool"),
    ("a: !!timestamp x", "'x' in line 1 is no timestamp"),
])
def test_what_is_no_table_of_values_is_one_line_with_the_file(here, text, reason):
    (here / "params.yaml").write_text(text)
    with pytest.raises(UserError) as error:
        read_yaml(here / "params.yaml")
    assert str(error.value).startswith(f"{here}/params.yaml: not YAML (")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)
