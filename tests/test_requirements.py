"""requirements.txt: what pyproject.toml asks for, each release by hashes, without an address; and `make env` asks for them."""
import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

TEXT = (ROOT / "requirements.txt").read_text()
PINS = re.findall(r"^([\w.-]+)==([^\s;]+)([^\n]*(?:(?<=\\)\n[^\n]*)*)", TEXT, re.MULTILINE)


def test_each_release_has_hashes_and_no_line_names_an_address():
    assert len(PINS) == TEXT.count("==") - TEXT.count(" == ") > 150
    assert not [name for name, _, rest in PINS if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", rest)]
    assert "://" not in TEXT


def test_make_env_takes_nothing_of_another_hash_and_make_pins_nothing_of_this_week():
    makefile = (ROOT / "Makefile").read_text()
    assert "--require-hashes -r requirements.txt" in makefile
    assert '--exclude-newer "7 days"' in makefile


def test_what_pyproject_asks_for_is_pinned_within_its_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"],
             *(line for extra in project["project"]["optional-dependencies"].values() for line in extra)]
    pinned = {canonicalize_name(name): version for name, version, _ in PINS}
    for line in map(Requirement, asked):
        assert line.specifier.contains(pinned[canonicalize_name(line.name)]), line
