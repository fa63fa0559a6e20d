"""tools.verify: a flipped byte is found, its stage named, and it is mended, from a remote, the workspace or by its stage."""
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

from stages.core.errors import UserError
from tools import verify

CACHE = Path(".dvc/cache/files/md5")
WRITE = """
from pathlib import Path
Path("folder").mkdir()
Path("one").write_text("of write " * 99)
Path("folder/a").write_text("a" * 5000)
Path("folder/b").write_text("b" * 5000)
with open("runs", "a") as runs: runs.write("write\\n")
"""


def flip(path: Path, quiet: bool = False) -> None:
    """Flip a bit in the middle of a file, which keeps its mode; quiet: its time too, as a disk does that fails."""
    status = path.stat()
    path.chmod(0o644)
    with open(path, "r+b") as file:
        file.seek(status.st_size // 2)
        byte = file.read(1)[0]
        file.seek(status.st_size // 2)
        file.write(bytes([byte ^ 1]))
    path.chmod(stat.S_IMODE(status.st_mode))
    if quiet:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A project of stages that ran: `write` makes a file and a folder, `read` lists it, `same` makes a file as one in it."""
    root = tmp_path_factory.mktemp("verify") / "base"
    root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        Path("write.py").write_text(WRITE)
        python = sys.executable
        Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {
            "write": {"cmd": f"{python} write.py", "outs": ["one", "folder"]},
            "read": {"cmd": f"{python} -c \"open('two', 'w').write(str(sorted(__import__('os').listdir('folder'))))\"",
                     "deps": ["folder"], "outs": ["two"]},
            "same": {"cmd": f"{python} -c \"open('twin', 'w').write('a' * 5000)\"", "outs": ["twin"]}}}))
        Repo.init(no_scm=True).close()
        Path(".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
        with Repo() as repo:
            repo.reproduce()
    return root


@pytest.fixture
def project(base, here) -> Path:
    """A copy to damage, checked out, so that DVC's notes are of its files."""
    shutil.copytree(base, here, dirs_exist_ok=True)
    checkout()
    return here


def checkout(relink: bool = False) -> None:
    with Repo() as repo:
        repo.checkout(relink=relink, force=True)


def push(here: Path) -> Path:
    """Push all to a remote; returns its folder of objects."""
    with Repo() as repo, repo.config.edit() as config:
        config["remote"]["shared"] = {"url": str(here / "store")}
        config["core"]["remote"] = "shared"
    with Repo() as repo:
        repo.push()
    return here / "store/files/md5"


def object_of(path: str) -> Path:
    """The object of an out, in the cache: by dvc.lock, or a file of `folder` by its list."""
    lock = yaml.safe_load(Path("dvc.lock").read_text())["stages"]
    names = {out["path"]: out["md5"] for stage in lock.values() for out in stage["outs"]}
    if "/" in path:
        listed = CACHE / names["folder"][:2] / names["folder"][2:]
        names = {f"folder/{entry['relpath']}": entry["md5"] for entry in yaml.safe_load(listed.read_text())}
    return CACHE / names[path][:2] / names[path][2:]


def run(monkeypatch, *words: str) -> str | None:
    """Run the tool; returns the error it ends in, None if all is whole."""
    monkeypatch.setattr("sys.argv", ["tools.verify", *words])
    try:
        verify.main()
    except UserError as error:
        assert "\n" not in str(error)
        return str(error)


def content() -> dict[str, bytes]:
    return {path.as_posix(): path.read_bytes() for path in [Path("one"), Path("two"), Path("twin"), *Path("folder").iterdir()]}


def times(project: Path) -> dict[Path, int]:
    """When each file was written, but for what DVC notes for itself."""
    return {path: path.stat().st_mtime_ns for path in project.rglob("*") if path.is_file() and "tmp" not in path.parts}


def runs() -> int:
    return Path("runs").read_text().count("write")


def test_a_whole_project_is_told_whole_with_its_rate_and_nothing_changes(project, monkeypatch, capsys):
    before = times(project)
    assert run(monkeypatch) is None
    said = capsys.readouterr()
    assert said.out.startswith("5 objects in .dvc/cache/files/md5, 0 of them named by no stage here")
    assert said.out.endswith("all whole\n")
    assert "cache: 5 files, 0.0 MB in 0.0 s, " in said.err and " MB/s\nworkspace: 5 files" in said.err
    assert times(project) == before


def test_dvc_itself_checks_out_a_flipped_byte_without_a_word(project):
    """What the tool is for. Should DVC begin to notice, this fails, and the documentation has to say so."""
    flip(object_of("one"))
    Path("one").unlink()
    checkout()
    with Repo() as repo:
        assert repo.status() == {}
    assert Path("one").read_text() != "of write " * 99


@pytest.mark.parametrize("out, named", [("one", "one of write"), ("two", "two of read"), ("folder/b", "folder/b of write"),
                                        ("folder", "folder of write")])
def test_a_flipped_byte_names_the_out_and_its_stage(project, monkeypatch, capsys, out, named):
    flip(object_of(out), quiet=True)
    assert run(monkeypatch).startswith("1 damaged or missing and not mended, 0 changed in the workspace; `make verify FIX=1`")
    path = object_of(out) if out != "folder/b" else None
    assert f"damaged: {named} (object " in (said := capsys.readouterr().out)
    assert path is None or f"(object {path.parent.name}{path.name}: its MD5 is " in said


@pytest.mark.parametrize("out", ["one", "folder/b", "folder"])
@pytest.mark.parametrize("harm", [flip, Path.unlink], ids=["flipped", "missing"])
def test_fix_takes_it_from_the_remote_where_the_workspace_has_nothing(project, monkeypatch, capsys, out, harm):
    want, path = content(), object_of(out)
    push(project)
    shutil.rmtree("folder")
    Path("one").unlink()
    harm(path)
    assert run(monkeypatch, "--fix") is None
    assert "mended from the remote: " in capsys.readouterr().out
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    checkout()
    assert content() == want
    assert runs() == 1
    assert run(monkeypatch) is None


@pytest.mark.parametrize("out", ["one", "folder/b", "folder"])
@pytest.mark.parametrize("harm", [flip, Path.unlink], ids=["flipped", "missing"])
def test_fix_takes_it_from_the_workspace_where_that_has_the_right_bytes(project, monkeypatch, capsys, out, harm):
    want, path = content(), object_of(out)
    before = path.read_bytes()
    harm(path)
    assert run(monkeypatch, "--fix") is None
    assert "mended from the workspace: " in capsys.readouterr().out
    assert path.read_bytes() == before
    assert (content(), runs()) == (want, 1)
    assert not list(Path(".dvc/cache/damaged").glob("*"))


@pytest.mark.parametrize("link", ["copy", "hardlink", "symlink"])
@pytest.mark.parametrize("source", ["remote", "rerun"])
def test_a_workspace_made_of_links_or_of_the_damaged_bytes_is_mended_too(project, monkeypatch, link, source):
    want, path = content(), object_of("folder/b")
    with Repo() as repo, repo.config.edit() as config:
        config["cache"]["type"] = link
    if source == "remote":
        push(project)
    flip(path)
    shutil.rmtree("folder")
    checkout(relink=True)
    assert content() != want
    assert run(monkeypatch, "--fix", *["--rerun"] * (source == "rerun")) is None
    assert content() == want
    assert runs() == 1 + (source == "rerun")
    if source == "remote":
        assert Path("folder/b").is_symlink() == (link == "symlink")
        assert Path("folder/b").samefile(path) == (link != "copy")
    with Repo() as repo:
        assert repo.status() == {}
    assert run(monkeypatch) is None


def test_without_a_copy_it_says_which_stage_to_run_and_dvc_uses_the_damaged_object_no_more(project, monkeypatch, capsys):
    want = content()
    flip(path := object_of("one"))
    Path("one").unlink()
    assert run(monkeypatch, "--fix") == "1 damaged or missing and not mended, 0 changed in the workspace"
    assert "or the workspace; write makes it again (RERUN=1 runs it)\n" in capsys.readouterr().out
    assert not path.exists()
    assert (Path(".dvc/cache/damaged") / (path.parent.name + path.name)).exists()
    assert run(monkeypatch, "--fix", "--rerun") is None
    assert "made again, the same bytes: one of write" in capsys.readouterr().out
    assert (content(), runs()) == (want, 2)
    assert not list(Path(".dvc/cache/damaged").glob("*"))


def test_a_file_that_only_a_damaged_list_names_is_mended_with_the_list(project, monkeypatch):
    want, file = content(), object_of("folder/b")
    push(project)
    flip(object_of("folder"))
    file.unlink()
    shutil.rmtree("folder")
    assert run(monkeypatch, "--fix") is None
    checkout()
    assert content() == want


def test_a_folder_whose_list_and_files_are_damaged_without_a_trace_is_made_again(project, monkeypatch):
    want, file = content(), object_of("folder/b")
    for path in (object_of("folder"), file, Path("folder/b")):
        flip(path, quiet=True)
    assert run(monkeypatch, "--fix", "--rerun") is None
    assert (content(), runs()) == (want, 2)


def test_an_object_of_two_stages_is_made_by_one_and_put_back_for_both(project, monkeypatch, capsys):
    want = content()
    flip(object_of("twin"))
    flip(Path("twin"))
    flip(Path("folder/a"))
    assert run(monkeypatch, "--fix", "--rerun") is None
    assert capsys.readouterr().out.count("running same\n") == 1
    assert (content(), runs()) == (want, 1)


def test_a_stage_that_makes_other_bytes_is_told(project, monkeypatch, capsys):
    Path("write.py").write_text(WRITE.replace("of write", "of wrote"))
    flip(object_of("one"))
    Path("one").unlink()
    assert run(monkeypatch, "--fix", "--rerun").startswith("1 damaged or missing and not mended")
    assert "made again with other bytes: one of write; `dvc repro` runs" in capsys.readouterr().out
    assert run(monkeypatch) is None


def test_a_damaged_remote_is_told_and_the_next_source_tried(project, monkeypatch, capsys):
    store = push(project)
    for path in (object_of("one"), object_of("two")):
        flip(path)
        flip(store / path.relative_to(CACHE))
    Path("one").unlink()
    assert run(monkeypatch, "--fix").startswith("1 damaged or missing and not mended")
    said = capsys.readouterr().out
    assert "not mended: one of write: no good copy in a remote or the workspace (the remote's copy is damaged, too)" in said
    assert "mended from the workspace: two of read" in said


def test_a_remote_that_fails_is_told_and_the_next_source_tried(project, monkeypatch, capsys):
    push(project)
    shutil.rmtree("store")
    Path("store").write_text("where a file lies, no folder can be")
    for name in ("one", "two"):
        flip(object_of(name))
    Path("one").unlink()
    assert run(monkeypatch, "--fix").startswith("1 damaged or missing and not mended")
    said = capsys.readouterr().out
    assert "not mended: one of write: no good copy in a remote or the workspace (the remote fails: " in said
    assert "mended from the workspace: two of read" in said


def test_a_file_of_the_workspace_that_dvc_takes_for_whole_is_mended_from_the_cache(project, monkeypatch, capsys):
    want = content()
    flip(Path("folder/a"), quiet=True)
    assert run(monkeypatch).startswith("1 damaged or missing")
    assert "damaged in the workspace: folder/a of write, and DVC does not notice" in capsys.readouterr().out
    assert run(monkeypatch, "--fix") is None
    assert content() == want


def test_a_file_that_somebody_changed_is_told_and_left(project, monkeypatch, capsys):
    Path("two").unlink()
    Path("two").write_text("edited")
    assert run(monkeypatch, "--fix") == "0 damaged or missing and not mended, 1 changed in the workspace"
    assert "changed in the workspace: two of read; DVC notices, and `dvc checkout two`" in capsys.readouterr().out
    assert Path("two").read_text() == "edited"


def test_data_that_no_stage_makes_is_kept_aside(project, monkeypatch, capsys):
    Path("mine").write_text("my photo")
    with Repo() as repo:
        repo.add("mine")
    name = yaml.safe_load(Path("mine.dvc").read_text())["outs"][0]["md5"]
    flip(CACHE / name[:2] / name[2:])
    Path("mine").unlink()
    assert run(monkeypatch, "--fix", "--rerun").startswith("1 damaged")
    assert "not mended: mine of mine.dvc: no good copy in a remote or the workspace\n" in capsys.readouterr().out
    assert (Path(".dvc/cache/damaged") / name).stat().st_size == len("my photo")


def test_an_object_of_another_commit_is_checked_too(project, monkeypatch, capsys):
    flip(object_of("two"))
    Path("dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": {}}))
    assert run(monkeypatch).startswith("1 damaged")
    said = capsys.readouterr().out
    assert "5 of them named by no stage here" in said
    assert "damaged: named by no stage here, but maybe by another commit or experiment (object " in said


def test_an_object_that_cannot_be_read_is_damaged(project, monkeypatch, capsys):
    path = object_of("one")
    path.unlink()
    path.symlink_to("nowhere")
    assert run(monkeypatch).startswith("1 damaged")
    said = capsys.readouterr().out
    assert f"damaged: one of write (object {path.parent.name}{path.name}: it cannot be read: No such file" in said
    assert run(monkeypatch, "--fix") is None


def test_an_empty_cache_is_one_line(project, monkeypatch, capsys):
    shutil.rmtree(".dvc/cache")
    assert run(monkeypatch, "--fix") is None
    assert capsys.readouterr().out == "nothing in .dvc/cache/files/md5 yet; `dvc repro` or `dvc pull` fills it\n"


def test_thousands_of_damaged_objects_are_counted(project, monkeypatch, capsys):
    for i in range(60):
        path = CACHE / f"{i:02x}" / ("0" * 30)
        path.parent.mkdir(exist_ok=True)
        path.write_text(str(i))
    assert run(monkeypatch).startswith("60 damaged")
    assert "damaged: and 40 more\n" in capsys.readouterr().out


@pytest.mark.parametrize("words, line", [(("--rerun",), "--rerun: only with --fix")])
def test_wrong_words_are_one_line(project, monkeypatch, words, line):
    assert run(monkeypatch, *words) == line


def test_outside_of_a_project_it_is_one_line(here, monkeypatch):
    assert run(monkeypatch).startswith(f"{here}: you are not inside of a DVC repository")


def test_beside_another_dvc_it_mends_nothing(project, monkeypatch):
    flip(object_of("one"))
    hold = "import sys; from dvc.repo import Repo\nwith Repo() as repo, repo.lock: print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        monkeypatch.setattr("dvc.lock.DEFAULT_TIMEOUT", 0)
        assert run(monkeypatch, "--fix") == "another `dvc` runs in this project; wait for it"
        other.stdin.close()
    assert run(monkeypatch, "--fix") is None


@pytest.mark.slow
@pytest.mark.parametrize("source", ["remote", "rerun"])
def test_the_pipelines_own_crops_and_weights_are_mended_to_the_same_bytes(own, source, tmp_path):
    outs = ["data/faces/0000.npy", "models/age/0/weights.safetensors", "data/photos.csv"]
    want = {out: (own.root / out).read_bytes() for out in outs}
    before = (own.root / "dvc.lock").read_bytes()
    if source == "remote":
        assert own.sh("dvc", "remote", "add", "-d", "shared", str(tmp_path / "store")).returncode == 0
        assert own.sh("dvc", "push").returncode == 0
    for out in outs:
        for path in (own.root / ".dvc/cache/files/md5").glob("??/*"):
            if path.stat().st_size == len(want[out]) and path.read_bytes() == want[out]:
                shutil.copy2(path, copy := path.with_suffix(".copy"))  # a copy shares the cache with the project that ran
                copy.replace(path)
                flip(path)
        (own.root / out).unlink()
    assert own.sh("dvc", "checkout").returncode == 0  # DVC trusts the cache, and takes the damaged bytes
    assert all((own.root / out).read_bytes() != want[out] for out in outs)
    done = own.python("tools.verify")
    assert done.returncode == 1
    for line in ("data/faces/0000.npy of crop", "models/age/0/weights.safetensors of train@age-0", "data/photos.csv of index"):
        assert f"damaged: {line} (object " in done.stdout
    done = own.python("tools.verify", "--fix", *["--rerun"] * (source == "rerun"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert {out: (own.root / out).read_bytes() for out in outs} == want
    assert (own.root / "dvc.lock").read_bytes() == before
    assert own.repro() == set()
