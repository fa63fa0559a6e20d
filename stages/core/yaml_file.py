"""YAML as DVC reads it: 3e-05, which DVC writes, is a number, and a duplicate key is an error.

ruamel.yaml, by which DVC reads, does both as well (tried: 0.19.1), but sets no bounds: eight lines of aliases stand for
millions of values, and deep nesting raises RecursionError. So this file would stay, and a package would be added.
"""
import re
from collections.abc import Iterable
from pathlib import Path

import yaml

from stages.core.errors import UserError

MOST = 50_000  # values of a file, each alias counted with all that it stands for; PyYAML takes a second for them
DEEPEST = 100  # levels
LARGEST = 1_000_000  # bytes of a file
LONGEST = 400  # characters of a whole number, above which Python computes long or refuses to write it


class Loader(yaml.SafeLoader):
    """PyYAML's loader, which by itself reads 3e-05 as text, and keeps the last of duplicate keys."""

    def compose_mapping_node(self, anchor):
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key.value, str) and key.value in seen:
                line = key.start_mark.line + 1
                raise yaml.YAMLError(f"{key.value!r} stands twice, the second time in line {line}")
            seen.add(key.value if isinstance(key.value, str) else None)
        return node

    def construct_object(self, node, deep=False):
        """The value of a node; PyYAML by itself raises ValueError and others for the 13th month, or `!!int x`."""
        if not isinstance(node, yaml.ScalarNode):
            return super().construct_object(node, deep)
        kind, line = node.tag.rpartition(":")[2], node.start_mark.line + 1
        if kind == "int" and len(node.value) > LONGEST:
            raise yaml.YAMLError(f"a number of {len(node.value)} characters in line {line}")
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError, AttributeError):
            raise yaml.YAMLError(f"{node.value[:40]!r} in line {line} is no {kind}") from None


Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789"))


def check_bounds(text: str | bytes) -> None:
    """Raise yaml.YAMLError if a text nests deeper than DEEPEST or holds more than MOST values, or is no YAML.

    libyaml looks in a tenth of PyYAML's time. What it refuses PyYAML may still read, or says better why not.
    """
    try:
        check_events(yaml.parse(text, yaml.CSafeLoader))
    except OutOfBounds:
        raise
    except (yaml.YAMLError, UnicodeEncodeError, AttributeError):  # the last of a PyYAML without libyaml
        check_events(yaml.parse(text, yaml.SafeLoader))


class OutOfBounds(yaml.YAMLError):
    """More than is read of any file."""


def check_events(events: Iterable[yaml.Event]) -> None:
    """Raise OutOfBounds at the first event beyond DEEPEST or MOST."""
    depth = values = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        values += isinstance(event, yaml.NodeEvent)
        if depth > DEEPEST:
            raise OutOfBounds("it nests too deeply")
        if values > MOST:
            raise OutOfBounds(f"it holds more than {MOST} values")


def expanded(node: yaml.Node | None, known: dict[int, int]) -> int:
    """The number of values of a node with all aliases written out; raises yaml.YAMLError above MOST, or without an end.

    known: those of other nodes by their id, 0 while one is counted.
    """
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) not in known:
        known[id(node)] = 0
        parts = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else [pair])]
        known[id(node)] = 1 + sum(expanded(part, known) for part in parts)
    if not 0 < known[id(node)] <= MOST:
        raise yaml.YAMLError(f"its aliases stand for more than {MOST} values")
    return known[id(node)]


def load(text: str | bytes):
    """The values of a YAML text; raises yaml.YAMLError if it is no YAML, or one that expands or nests beyond all bounds."""
    check_bounds(text)
    loader = Loader(text)
    try:
        node = loader.get_single_node()
        expanded(node, {})
        return None if node is None else loader.construct_document(node)
    except RecursionError:  # aliases within aliases
        raise yaml.YAMLError("it nests too deeply") from None
    finally:
        loader.dispose()


def read_yaml(path: Path):
    """The values of a YAML file; raises UserError if it is missing or no YAML."""
    try:
        if (size := path.stat().st_size) > LARGEST:
            raise UserError(f"{path}: {size} bytes; at most {LARGEST} are read")
        return load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run from the project's folder") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
