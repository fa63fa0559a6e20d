"""What a kill may leave of DVC's own files is mended, or named, before DVC stumbles over it."""
import json

import pytest

from stages.core.errors import UserError
from tools import check


@pytest.mark.parametrize("left", ["", '{"read": {"a'])
def test_a_table_of_locks_that_was_cut_off_is_removed_and_dvc_runs_again(own, left):
    table = own.root / check.LOCKS
    table.write_text(left)
    assert "corrupted" in own.sh("dvc", "repro", "-f", "-s", "split").stderr
    done = own.python("tools.check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "note: .dvc/tmp/rwlock: cut off, as by a kill, and removed; DVC makes it anew\n"
    assert own.sh("dvc", "repro", "-f", "-s", "split").returncode == 0


def test_a_whole_table_of_locks_stays(here):
    check.LOCKS.parent.mkdir(parents=True)
    check.LOCKS.write_text(json.dumps({"read": {"a": []}}))
    check.check_locks()
    assert check.LOCKS.exists()


def test_a_table_that_dvc_writes_at_this_moment_stays(here, monkeypatch):
    check.LOCKS.parent.mkdir(parents=True)
    check.LOCKS.write_text("")
    monkeypatch.setattr("time.sleep", lambda seconds: check.LOCKS.write_text("{}"))
    check.check_locks()
    assert check.LOCKS.read_text() == "{}"


def test_a_lock_file_that_was_cut_off_is_named_with_what_to_do(own):
    lock = own.root / "dvc.lock"
    lock.write_text(lock.read_text()[: lock.read_text().index("md5: ") + 2])
    done = own.python("tools.check")
    assert done.returncode == 1
    assert done.stderr == ("error: dvc.lock: cut off, as by a kill; git checkout dvc.lock brings back the last commit's, and "
                           "dvc repro takes what has run since from its cache\n")
    own.git("checkout", "dvc.lock")
    assert own.python("tools.check").returncode == 0


def test_half_of_a_lock_file_that_is_yaml_is_left_to_dvc(here):
    (here / "dvc.lock").write_text("schema: '2.0'\nstages:\n")
    check.check_lock_file(here / "dvc.lock")
    with pytest.raises(UserError):
        (here / "dvc.lock").write_text("schema: '2.0")
        check.check_lock_file(here / "dvc.lock")
