"""What a kill may leave of DVC's own files is mended, or named, before DVC stumbles over it."""
import json
import re

import pytest

from tools.shared import mending


@pytest.mark.parametrize("left", ["", '{"read": {"a'])
def test_a_table_of_locks_that_was_cut_off_is_removed_and_dvc_runs_again(own, left):
    table = own.root / mending.LOCKS
    table.write_text(left)
    assert "corrupted" in own.sh("dvc", "repro", "-f", "-s", "split").stderr
    done = own.python("tools.check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "note: .dvc/tmp/rwlock: cut off, as by a kill, and removed; DVC makes it anew\n"
    assert own.sh("dvc", "repro", "-f", "-s", "split").returncode == 0


def test_a_whole_table_of_locks_stays(here):
    mending.LOCKS.parent.mkdir(parents=True)
    mending.LOCKS.write_text(json.dumps({"read": {"a": []}}))
    mending.mend_locks()
    assert mending.LOCKS.exists()


def test_a_table_that_dvc_writes_at_this_moment_stays(here, monkeypatch):
    mending.LOCKS.parent.mkdir(parents=True)
    mending.LOCKS.write_text("")
    monkeypatch.setattr("time.sleep", lambda seconds: mending.LOCKS.write_text("{}"))
    mending.mend_locks()
    assert mending.LOCKS.read_text() == "{}"


def test_a_lock_file_that_was_cut_off_anywhere_keeps_its_whole_entries_and_the_run_goes_on(own):
    lock = own.root / "dvc.lock"
    text = lock.read_text()
    lock.write_text(text[: text.index("  train@age-0:") + 200])
    assert own.sh("dvc", "repro").returncode != 0
    done = own.python("tools.check")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^note: dvc.lock: cut off, as by a kill, and mended: (\d+) of (\d+) entries are whole$", done.stdout)
    assert text.startswith(lock.read_text())
    assert own.sh("dvc", "repro").returncode == 0
    assert lock.read_text() == text


@pytest.mark.parametrize("share", [0, 0.001, 0.2, 0.5, 0.77, 0.99, 1])
def test_of_a_lock_file_cut_off_anywhere_what_is_left_can_be_read(here, ran, share):
    text, lock = (ran.root / "dvc.lock").read_text(), here / "dvc.lock"
    lock.write_text(text[: int(share * len(text))])
    mending.mend_lock_file(lock)
    assert not lock.exists() if share < 0.01 else mending.is_lock_file(lock.read_text())
    assert share < 1 or lock.read_text() == text


def test_a_lock_file_that_dvc_writes_at_this_moment_stays(here, ran, monkeypatch):
    text, lock = (ran.root / "dvc.lock").read_text(), here / "dvc.lock"
    lock.write_text(text[: text.index("  train@age-0:") + 200])
    monkeypatch.setattr("time.sleep", lambda seconds: lock.write_text(text))
    mending.mend_lock_file(lock)
    assert lock.read_text() == text


@pytest.mark.parametrize("name, text", [("dvc.yaml", "vars: []"), ("dvc.yaml", "stages:"), ("dvc.yaml", "stages: [a]"),
                                        ("dvc.yaml", "stages: {index: }"), ("dvc.yaml", "stages: {index: {outs: }}"),
                                        ("dvc.yaml", "a: 2001-13-45"), ("dvc.lock", "schema: '2.0'")])
def test_what_dvc_refuses_of_a_pipeline_is_left_to_dvc(own, name, text):
    (own.root / name).write_text(text)
    for tool in ("tools.check", "tools.repro"):
        done = own.python(tool)
        assert len(done.stderr.splitlines()) <= 1 and done.stderr[:7] in ("", "error: ")
    assert own.python("tools.check").returncode == 0


def test_no_lock_file_is_no_mistake(here):
    mending.mend_lock_file(here / "dvc.lock")
    assert list(here.iterdir()) == []


def test_what_ctrl_c_had_dvc_take_out_of_gitignore_is_there_again_in_its_order(own):
    files = [own.root / "data" / name for name in (".gitignore", "labels/.gitignore")]
    before = [file.read_text() for file in files]
    assert "/boxes.csv\n" in before[0]
    files[0].unlink()
    files[1].unlink()
    done = own.python("tools.check")
    assert (done.returncode, done.stderr) == (0, "")
    assert [file.read_text() for file in files] == before
    assert "note: data/labels/.gitignore: /mask.csv was missing, as after Ctrl-C, and is there again" in done.stdout
    assert "metrics" not in done.stdout  # git keeps it
    assert own.python("tools.check").stdout == ""


def test_a_line_without_an_end_is_ended_first(own):
    file = own.root / "data/labels/.gitignore"
    file.write_text("/age.csv")
    assert own.python("tools.check").returncode == 0
    assert set(file.read_text().splitlines()) >= {"/age.csv", "/mask.csv"}


def test_a_pipeline_that_is_no_yaml_is_left_to_dvc(own):
    (own.root / "dvc.yaml").write_text("stages: [")
    assert own.python("tools.check").returncode == 0


def test_outside_a_git_repository_nothing_is_ignored(here):
    (here / "out").write_text("")
    assert mending.seen_by_git(["out"]) == []
