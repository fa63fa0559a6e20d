"""What README, guides, comments and commands name is there: no path, module or target of an earlier layout."""
import importlib.util
import re
import subprocess

import pytest

from tests.conftest import ROOT

LIST = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
FILES = subprocess.run(LIST, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
TEXTS = [file for file in FILES if file.endswith((".py", ".md", ".yaml", ".j2", ".csv", "Makefile", ".ci/run")) and
         not file.startswith("tests/") and (ROOT / file).is_file()]
FOLDERS = "stages|labeller|tools|tests|benchmarks|docs|recipes|bundle"
PATH = re.compile(rf"\b(?:{FOLDERS})/[\w./-]*\w\.(?:py|md|yaml|csv|j2|jpg|png)\b")
MODULE = re.compile(r"python -m ((?:stages|tools|benchmarks)\.\w+)")
TARGET = re.compile(r"(?:`|^)make ([a-z][a-z-]*)", re.MULTILINE)
PLACEHOLDER = re.compile(r"[A-Z]|\bx\b")  # recipes/NAME.yaml, stages/x.py


def found(pattern: re.Pattern) -> set[tuple[str, str]]:
    return {(file, name) for file in TEXTS for name in pattern.findall((ROOT / file).read_text(errors="replace"))}


def test_every_path_that_is_named_is_a_file():
    names = found(PATH)
    missing = {(file, name) for file, name in names if name not in FILES}
    assert not sorted((file, name) for file, name in missing if not PLACEHOLDER.search(name))


def test_every_module_that_is_named_can_be_run():
    names = found(MODULE)
    assert len({name for _, name in names}) > 15
    missing = {(file, name) for file, name in names if importlib.util.find_spec(name) is None}
    assert not sorted((file, name) for file, name in missing if not PLACEHOLDER.search(name))


def test_every_target_that_is_named_is_in_the_makefile():
    there = set(re.findall(r"^([a-z][a-z-]*):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"repro", "test", "runs"} <= there
    assert not sorted((file, name) for file, name in found(TARGET) if name not in there)


@pytest.mark.parametrize("file", [file for file in TEXTS if file.endswith(".md")])
def test_every_link_of_a_guide_leads_to_a_file(file):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / file).read_text())
    assert not [link for link in links if not (ROOT / file).parent.joinpath(link).exists()]
