"""tools.audit: what pip-audit could not look up is not called clean. No network: pip-audit is a script of the test."""
import json
import sys

import pytest

from stages.core.errors import UserError
from tools import audit

CLEAN = {"name": "one", "version": "1", "vulns": []}
BAD = {"name": "two", "version": "2", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["3"]}]}
SKIPPED = {"name": "three", "skip_reason": "Dependency not found on PyPI and could not be audited: three (3)"}


def run(monkeypatch, here, *packages: dict, out: str | None = None) -> str | None:
    """Run the tool over what pip-audit answers; returns the error it ends in."""
    answer = json.dumps({"dependencies": list(packages), "fixes": []}) if out is None else out
    (here / "answer.py").write_text(f"import sys\nprint({answer!r})\nprint('a line\\nthe last line', file=sys.stderr)")
    monkeypatch.setattr(audit, "COMMAND", [sys.executable, str(here / "answer.py")])
    try:
        audit.main()
    except UserError as error:
        assert "\n" not in str(error)
        return str(error)


def test_packages_without_a_known_vulnerability_pass(monkeypatch, here, capsys):
    assert run(monkeypatch, here, CLEAN, CLEAN) is None
    assert capsys.readouterr().out == "2 packages, 0 known vulnerabilities, each explained\n"


def test_packages_that_were_not_looked_up_are_not_audited(monkeypatch, here):
    """pip-audit itself says `No known vulnerabilities found` here, and exits with 0."""
    line = run(monkeypatch, here, CLEAN, SKIPPED)
    assert line.startswith("not audited: the database did not answer for 1 of 2 packages, such as three;")


def test_a_vulnerability_is_an_error_until_it_is_explained(monkeypatch, here, capsys):
    assert run(monkeypatch, here, CLEAN, BAD).startswith("1 known vulnerabilities are not explained: ")
    assert capsys.readouterr().out == "two 2: PYSEC-1 = CVE-1; mended in 3; not explained\n"
    monkeypatch.setitem(audit.EXPLAINED, "CVE-1", "the server that it is about does not run here")
    assert run(monkeypatch, here, CLEAN, BAD) is None
    assert "mended in 3; the server that it is about does not run here\n2 packages, 1 known" in capsys.readouterr().out


@pytest.mark.parametrize("out", ["", "{}", "no JSON"])
def test_a_pip_audit_that_does_not_run_is_one_line(monkeypatch, here, out):
    assert run(monkeypatch, here, out=out) == "not audited: pip-audit does not run here (the last line)"


def test_without_uvx_it_says_what_installs_it(monkeypatch, here):
    monkeypatch.setenv("PATH", str(here))
    with pytest.raises(UserError, match="uvx: no such command; `make env` installs it"):
        audit.main()
