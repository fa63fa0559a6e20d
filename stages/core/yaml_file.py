"""YAML as DVC reads it: 3e-05, which DVC writes, is a number, and a duplicate key is an error."""
import re
from pathlib import Path

import yaml

from stages.core.errors import UserError


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


Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789"))


def load(text: str | bytes):
    """The values of a YAML text; raises yaml.YAMLError if it is no YAML."""
    return yaml.load(text, Loader)


def read_yaml(path: Path):
    """The values of a YAML file; raises UserError if it is missing or no YAML."""
    try:
        return load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run from the project's folder") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
