"""Sharing: what one pushes, another pulls, through a folder and through SSH; a remote that fails loses nothing.

The SSH server is Debian's own, started here on loopback with keys of its own; without it (`apt-get install
openssh-server`) the tests over SSH are skipped. Nobody's own keys, agent or settings take part.
"""
import getpass
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from labeller import Labeller
from tests.conftest import Project

EXPERIMENT = "faster"
EXPERIMENT_SETS = "age.lr=0.05"  # gives other metrics and other labels, where one tiny epoch at the shipped rate learns nothing
RESULTS = ["reports/metrics.json", "reports/plots/labels.csv", "reports/submission.csv", "data/combined.parquet"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def nobodys_settings(tmp_path_factory):
    """A home with no keys and no settings, and no agent."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("SSH_AUTH_SOCK", raising=False)
        yield


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@dataclass
class Server:
    """An SSH server: `key` is let in, `stranger` is not; whatever is shared lies in `folder`."""
    folder: Path
    port: int

    @property
    def key(self) -> Path:
        return self.folder / "key"

    @property
    def stranger(self) -> Path:
        return self.folder / "stranger"

    def url(self, port: int | None = None) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{port or self.port}{self.folder}/store"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if sshd is None:
        pytest.skip("no SSH server here: apt-get install openssh-server")
    server = Server(tmp_path_factory.mktemp("ssh"), free_port())
    for name in ("host", "key", "stranger"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", server.folder / name], check=True)
    (server.folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {server.port}\nHostKey {server.folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {server.key}.pub\nAuthenticationMethods publickey\nStrictModes no\n"
        "Subsystem sftp internal-sftp\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # root's sshd asks for it; where sshd is a service, systemd makes it
    with open(server.folder / "log", "w") as log:
        process = subprocess.Popen([sshd, "-D", "-e", "-f", server.folder / "sshd_config"], stderr=log)
    try:
        for _ in range(600):
            if process.poll() is not None or "Server listening" in (server.folder / "log").read_text():
                break
            time.sleep(0.1)
        assert process.poll() is None, (server.folder / "log").read_text()
        yield server
    finally:
        process.terminate()
        process.wait()


def content(project: Project) -> dict[str, bytes]:
    """Every file of the workspace and of the cache; none of git's, no logs, nor what DVC and detect note for themselves."""
    files = {file.relative_to(project.root).as_posix(): file for file in project.root.rglob("*") if file.is_file()}
    left_out = (".git/", ".dvc/tmp/", ".dvc/config", "logs/", "data/.resume/")
    return {name: file.read_bytes() for name, file in files.items()
            if not name.startswith(left_out) and "__pycache__" not in name}


def workspace(project: Project) -> dict[str, bytes]:
    return {name: data for name, data in content(project).items() if not name.startswith(".dvc/")}


def ok(project: Project, *command: str) -> str:
    """Run a command, which must pass; returns what it printed."""
    done = project.sh(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass
class Shared:
    """A project whose data, commits and experiment are pushed. Tests that change it take a copy."""
    project: Project
    pushed: dict[str, bytes]  # its files when they were pushed; afterwards the experiment changed some
    hub: Path  # a bare git repository
    key: Path | None  # what the DVC remote asks for

    def clone(self, to: Path) -> Project:
        """A clean clone, which knows where the key lies."""
        subprocess.run(["git", "clone", "-q", self.hub, to], check=True)
        clone = Project(to)
        if self.key:
            ok(clone, "dvc", "remote", "modify", "--local", "shared", "keyfile", str(self.key))
        return clone


@pytest.fixture(scope="module", params=["folder", "ssh"])
def shared(request, ran, tmp_path_factory) -> Shared:
    folder = tmp_path_factory.mktemp(request.param)
    server = request.getfixturevalue("server") if request.param == "ssh" else None
    project = ran.copy(folder / "mine")
    ok(project, "dvc", "remote", "add", "-d", "shared", server.url() if server else str(folder / "store"))
    if server:
        ok(project, "dvc", "remote", "modify", "--local", "shared", "keyfile", str(server.key))
    project.git("add", "-A")
    project.git("commit", "-qm", "a DVC remote")
    ok(project, "dvc", "push")
    pushed = workspace(project)
    subprocess.run(["git", "clone", "-q", "--bare", project.root, folder / "hub"], check=True)
    project.git("remote", "add", "origin", str(folder / "hub"))
    ok(project, "dvc", "exp", "run", "-n", EXPERIMENT, "-S", EXPERIMENT_SETS)
    ok(project, "dvc", "exp", "push", "origin", EXPERIMENT)
    return Shared(project, pushed, folder / "hub", server.key if server else None)


def test_a_clean_clone_pulls_what_was_pushed_and_has_nothing_to_run(shared, tmp_path):
    theirs = shared.clone(tmp_path / "theirs")
    in_dvc_alone = {"data/sample/train/train.csv", "models/age/0/weights.safetensors", *RESULTS[2:]}
    assert not in_dvc_alone & workspace(theirs).keys()
    ok(theirs, "dvc", "pull")
    assert theirs.repro() == set()
    assert in_dvc_alone <= workspace(theirs).keys()
    assert workspace(theirs) == shared.pushed
    assert ok(theirs, "git", "status", "--porcelain") == ""


def test_an_experiment_made_in_one_clone_is_listed_compared_and_applied_in_another(shared, tmp_path):
    mine, theirs = shared.project, shared.clone(tmp_path / "theirs")
    assert EXPERIMENT in ok(theirs, "dvc", "exp", "list", "--name-only", "origin").split()
    assert EXPERIMENT not in ok(theirs, "dvc", "exp", "list", "--name-only").split()
    ok(theirs, "dvc", "exp", "pull", "origin", EXPERIMENT)
    compare = ("python", "-m", "tools.compare", "HEAD", EXPERIMENT)
    assert ok(theirs, *compare) == ok(mine, *compare)
    ok(theirs, "dvc", "exp", "apply", EXPERIMENT)
    for file in RESULTS:
        assert (theirs.root / file).read_bytes() == (mine.root / file).read_bytes() != shared.pushed[file], file
    assert theirs.repro() == set()


@pytest.mark.parametrize("shared", ["ssh"], indirect=True)
def test_where_ones_key_lies_gets_neither_into_a_commit_nor_into_an_experiment(shared):
    experiment = ok(shared.project, "dvc", "exp", "list", "--sha-only").strip()
    assert str(shared.key) in (shared.project.root / ".dvc/config.local").read_text()
    found = shared.project.sh("git", "grep", "-l", str(shared.key), "HEAD", experiment)
    assert (found.returncode, found.stdout, found.stderr) == (1, "", "")


def no_folder(project: Project, folder: Path, request) -> str:
    (folder / "file").write_text("where a file lies, no folder can be made")
    ok(project, "dvc", "remote", "modify", "--local", "shared", "url", str(folder / "file/store"))
    return str(folder / "file/store")


def closed_port(project: Project, folder: Path, request) -> str:
    server, port = request.getfixturevalue("server"), free_port()
    ok(project, "dvc", "remote", "modify", "--local", "shared", "url", server.url(port))
    return f"('127.0.0.1', {port})"


def refused_key(project: Project, folder: Path, request) -> str:
    server = request.getfixturevalue("server")
    ok(project, "dvc", "remote", "modify", "--local", "shared", "url", server.url())
    ok(project, "dvc", "remote", "modify", "--local", "shared", "keyfile", str(server.stranger))
    return f"Permission denied for user {getpass.getuser()} on host 127.0.0.1"


def fails(project: Project, why: str, *command: str) -> None:
    """Run a command, which must fail and say why and where."""
    done = project.sh(*command)
    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    assert "ERROR: " in said and why in said
    assert "Traceback" not in said


BROKEN = [no_folder, closed_port, refused_key]  # each breaks the remote, and returns what an error has to name


@pytest.mark.parametrize("shared", ["folder"], indirect=True)
@pytest.mark.parametrize("broken", BROKEN)
def test_a_push_that_fails_says_where_and_loses_nothing(shared, broken, tmp_path, request):
    mine = shared.project.copy(tmp_path / "mine")
    why = broken(mine, tmp_path, request)
    before = content(mine)
    fails(mine, why, "dvc", "push")
    fails(mine, why, "dvc", "exp", "push", "origin", EXPERIMENT)
    assert content(mine) == before
    assert mine.repro() == set()


@pytest.mark.parametrize("shared", ["folder"], indirect=True)
@pytest.mark.parametrize("broken", BROKEN)
def test_a_pull_that_fails_says_where_and_a_later_one_brings_everything(shared, broken, tmp_path, request):
    theirs = shared.clone(tmp_path / "theirs")
    why = broken(theirs, tmp_path, request)
    before = content(theirs)
    fails(theirs, why, "dvc", "pull")
    assert content(theirs) == before
    (theirs.root / ".dvc/config.local").unlink()
    ok(theirs, "dvc", "pull")
    assert theirs.repro() == set()


def test_a_published_bundle_comes_to_another_machine_whole_and_a_clone_pulls_it(exported, tmp_path):
    mine = exported.copy(tmp_path / "mine")
    ok(mine, "dvc", "remote", "add", "-d", "shared", str(tmp_path / "store"))
    ok(mine, "dvc", "add", "bundle/model")
    mine.git("add", "-A")
    mine.git("commit", "-qm", "publish a bundle")
    mine.git("tag", "-a", "bundle@v0.1.0", "-m", "the first bundle")
    ok(mine, "dvc", "push")
    ok(mine, "dvc", "artifacts", "get", str(mine.root), "bundle", "-o", str(tmp_path / "got"))
    want = {file.name: file.read_bytes() for file in (mine.root / "bundle/model").iterdir()}
    assert {file.name: file.read_bytes() for file in (tmp_path / "got").iterdir()} == want
    [photo] = Labeller(tmp_path / "got")(min((mine.root / "data/sample/eval/images").iterdir()))
    assert photo.faces
    subprocess.run(["git", "clone", "-q", mine.root, tmp_path / "theirs"], check=True)
    theirs = Project(tmp_path / "theirs")
    ok(theirs, "dvc", "pull")
    assert (theirs.root / "bundle/model/card.json").read_bytes() == want["card.json"]
    assert theirs.repro() == set()
