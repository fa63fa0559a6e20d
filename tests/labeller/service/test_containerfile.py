"""The commands of the Containerfile make a service that labels as nobody, without a network, and writes nothing.

They run in an empty environment instead of an image; where this machine has no namespaces, the service keeps its network.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from labeller.labeller import Labeller
from tests.conftest import ROOT

WORDS = re.compile(r"^(FROM|COPY|RUN|ENV|USER|ENTRYPOINT|EXPOSE|HEALTHCHECK) (.+)$")
PYTHONS = (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3")
NEW_ENOUGH = "import sys, venv; sys.exit(sys.version_info < (3, 11))"
ASK = """
import json, subprocess, sys, time, urllib.request
with subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, text=True) as service:
    service.stdout.readline()
    photo = open(sys.argv[1], "rb").read()
    answer = urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:8000/label", photo), timeout=60).read()
    service.terminate()
print(json.dumps([json.loads(answer), service.wait(60)]))
"""


def lines() -> list[tuple[str, str]]:
    """Instruction and words of each line."""
    text = (ROOT / "Containerfile").read_text().splitlines()
    found = [WORDS.match(line) for line in text if line and not line.startswith("#")]
    assert all(found), text  # an instruction that this test does not know
    return [match.groups() for match in found]


@pytest.fixture
def root():
    """A folder that nobody may enter, too, as the image's /."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.slow
def test_its_commands_make_a_service_that_labels_as_nobody_and_without_a_network(exported, root):
    python = next((each for each in PYTHONS if can(nobody([each, "-c", NEW_ENOUGH]))), sys.executable)
    subprocess.run([python, "-m", "venv", root / "env"], check=True)
    env = {"PATH": f"{root}/env/bin:{os.environ['PATH']}", "HOME": "/nonexistent"}
    user, entry = None, None
    for word, rest in lines():
        if word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                place = exported.root if source.startswith("bundle/") else ROOT
                copy(place / source, root / target.strip("/"), target)
        elif word == "RUN":
            subprocess.run(rest.replace('"/', f'"{root}/'), shell=True, check=True, env=env)
        elif word == "ENV":
            env |= {key: re.sub("^/", f"{root}/", value) for key, value in (pair.split("=") for pair in rest.split())}
        elif word == "USER":
            user = rest
        elif word == "ENTRYPOINT":
            entry = json.loads(rest)
    assert user == "nobody"
    before = listing(root)
    photo = min((exported.root / "data/sample/eval/images").iterdir())
    shutil.copyfile(photo, root.with_suffix(".jpg"))
    ask = [root / "env/bin/python", "-c", ASK, root.with_suffix(".jpg"), *entry]
    done = subprocess.run(within(ask), check=False, env=env, capture_output=True, text=True, timeout=120)
    root.with_suffix(".jpg").unlink()
    assert done.returncode == 0, done.stderr
    answer, status = json.loads(done.stdout)
    wanted = Labeller(exported.root / "bundle/model", "all").label(photo).to_dict()
    assert [face["class"] for face in answer["faces"]] == [face["class"] for face in wanted["faces"]]
    assert status in (0, -15)
    assert listing(root) == before


def copy(source: Path, to: Path, target: str) -> None:
    """As COPY does: a folder's content, a file into a folder that ends with /."""
    if source.is_dir():
        shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        to.mkdir(exist_ok=True)
        shutil.copyfile(source, to / source.name if target.endswith("/") else to)


def can(command: list) -> bool:
    """Whether a command works here."""
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def nobody(command: list) -> list:
    """The command as the user nobody; the shell between them takes the last of root's capabilities."""
    return ["setpriv", "--reuid=nobody", "--clear-groups", "--", "sh", "-c", 'exec "$@"', "sh", *command]


def within(command: list) -> list:
    """The command as nobody and without a network, as far as this machine lets us."""
    if can(nobody([command[0], "-c", ""])):
        command = nobody(command)
    if can(offline(["true"])):
        command = offline(command)
    return command


def offline(command: list) -> list:
    """The command in a network of its own, in which there is nobody else."""
    return ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]


def listing(folder: Path) -> list:
    """All files and their times, but for compiled code."""
    return sorted((str(file), file.stat().st_mtime_ns) for file in folder.rglob("*") if "__pycache__" not in file.parts)
