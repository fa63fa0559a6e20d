"""Write the licences of all pinned packages into reports/licences.md. Run after `make env`: make licences

As the packages installed here state them; those of another system or Python in requirements.txt are named without one.
"""
import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.files import atomic_write

PINS, REPORT = Path("requirements.txt"), Path("reports/licences.md")
HEAD = """# Licences of the packages

By `make licences`, from what each installed package states of itself; nobody has read the files in them. This project is under
MIT and holds no code of theirs. "Labelling" are those that `pip install` brings to label photos by a bundle; with them an image
of `Containerfile` is passed on. The rest trains, tests and serves, and stays on the machine that installed it.

"""


def pinned() -> list[str]:
    """The packages of requirements.txt, each once."""
    if not PINS.exists():
        raise UserError(f"{PINS}: no such file; run from the project's folder")
    return list(dict.fromkeys(re.findall(r"^([A-Za-z0-9._-]+)==", PINS.read_text(), re.MULTILINE)))


def licence(of: metadata.PackageMetadata) -> str:
    """What a package states: the SPDX expression, else a short text, else PyPI's classifiers, else the first line of a text."""
    text = (of.get("License") or "").strip()
    classes = [line.split(" :: ")[-1] for line in of.get_all("Classifier") or [] if line.startswith("License :: ")]
    classes = [name for name in classes if name != "OSI Approved"]
    if expression := of.get("License-Expression"):
        return expression
    if text and len(text) < 60 and "\n" not in text and text != "Dual License":
        return text.replace("|", "or")
    return " or ".join(classes) or " ".join(text.split("\n")[:1]).strip(" =") or "not stated"


def needed(names: list[str]) -> set[str]:
    """These packages and those that they need here."""
    found, left = set(), [canonicalize_name(Requirement(name).name) for name in names]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            wants = [Requirement(line) for line in metadata.requires(name) or []]
            left += [canonicalize_name(r.name) for r in wants if not r.marker or r.marker.evaluate({"extra": ""})]
    return found


def table() -> str:
    """Markdown: a row for each package, by its licence."""
    labels = needed(tomllib.loads(Path("pyproject.toml").read_text())["project"]["dependencies"])
    rows, absent = [], []
    for name in pinned():
        try:
            rows.append((licence(metadata.metadata(name)), name, "labelling" * (canonicalize_name(name) in labels)))
        except metadata.PackageNotFoundError:
            absent.append(name)
    lines = [f"| {name} | {stated} | {use} |" for stated, name, use in sorted(rows, key=lambda row: (row[0].lower(), row[1]))]
    end = f"\nOf other systems or versions of Python, and not installed here: {', '.join(absent)}.\n" if absent else ""
    return "\n".join(["| package | licence | |", "|---|---|---|", *lines, end])


def main():
    text = table()
    with atomic_write(REPORT) as part:
        part.write_text(HEAD + text)
    print(REPORT)


if __name__ == "__main__":
    run(main, words=False)
