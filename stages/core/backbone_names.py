"""Names of timm's models, read from timm's source files, since importing timm takes seconds."""
import functools
import re
from importlib.util import find_spec
from pathlib import Path

ENTRY = re.compile(r"^@register_model\s*\n(?:@.*\n)*def (\w+)\(", re.MULTILINE)
FORMER = re.compile(r"register_model_deprecations\(__name__, \{(.*?)^\}\)", re.MULTILINE | re.DOTALL)


@functools.cache
def backbones() -> frozenset[str]:
    """Every name that timm.create_model accepts, without the tag of its pretrained weights (`name.tag`)."""
    names: set[str] = set()
    for folder in find_spec("timm").submodule_search_locations:
        for file in sorted(Path(folder, "models").glob("*.py")):
            text = file.read_text(encoding="utf-8")
            names.update(ENTRY.findall(text))
            for block in FORMER.findall(text):
                names.update(re.findall(r"^\s*'([\w.]+)':", block, re.MULTILINE))
    return frozenset(names)


def is_backbone(name: str) -> bool:
    return name in backbones() or name.split(".")[0] in backbones()
