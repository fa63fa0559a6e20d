"""Look up the pinned packages in PyPI's database of known vulnerabilities. Run: make audit

Runs pip-audit, which uvx brings, over requirements.txt. A package that the database does not answer for counts as not audited:
pip-audit itself says "no known vulnerabilities" and succeeds where it reaches no database at all. Exit status 1 unless every
package was looked up, and every vulnerability is explained in EXPLAINED.
"""
import json
import subprocess
from pathlib import Path

from stages.core.command_line import run
from stages.core.errors import UserError

PINS = Path("requirements.txt")
COMMAND = ["uvx", "pip-audit==2.10.1", "--requirement", str(PINS), "--no-deps", "--disable-pip", "--format", "json",
           "--progress-spinner", "off"]
EXPLAINED: dict[str, str] = {}  # why a vulnerability, by its id, does no harm here


def audit() -> list[dict]:
    """The packages, as pip-audit's JSON lists them; raises UserError if it does not run."""
    try:
        done = subprocess.run(COMMAND, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        raise UserError("uvx: no such command; `make env` installs it") from None
    try:
        return json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        lines = done.stderr.strip().splitlines() or ["it gave no reason"]
        raise UserError(f"not audited: pip-audit does not run here ({lines[-1][:200]})") from None


def main():
    packages = audit()
    known = [(package, found) for package in packages for found in package.get("vulns", [])]
    for package, found in known:
        ids = [found["id"], *found.get("aliases", [])]
        why = next((EXPLAINED[name] for name in ids if name in EXPLAINED), None)
        mended = ", ".join(found.get("fix_versions", [])) or "no version"
        print(f"{package['name']} {package['version']}: {' = '.join(ids)}; mended in {mended}; {why or 'not explained'}")
    open_ones = [found for _, found in known if not EXPLAINED.keys() & {found["id"], *found.get("aliases", [])}]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if open_ones:
        raise UserError(f"{len(open_ones)} known vulnerabilities are not explained: update by `make pins`, or say in "
                        "tools/audit.py why they do no harm")
    if skipped:
        raise UserError(f"not audited: the database did not answer for {len(skipped)} of {len(packages)} packages, such as "
                        f"{skipped[0]}; it may not be reached from here")
    print(f"{len(packages)} packages, {len(known)} known vulnerabilities, each explained")


if __name__ == "__main__":
    run(main, words=False)
