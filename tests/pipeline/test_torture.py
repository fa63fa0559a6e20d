"""A run that was killed ends, run again, in the files of one that was not; and the comparison sees what is not so."""
import random
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests.torture import contents, differences, first_hit, left_over, torture, undisturbed


def test_a_file_that_differs_is_missing_or_left_over_is_named(tmp_path):
    for folder in ("wanted", "found"):
        (tmp_path / folder / ".dvc/tmp").mkdir(parents=True)
        (tmp_path / folder / "same").write_text("1")
        (tmp_path / folder / "other").write_text(folder)
        (tmp_path / folder / ".dvc/tmp/notes").write_text(folder)
    (tmp_path / "wanted/gone").touch()
    (tmp_path / "found/.part").touch()
    found, wanted = (contents(tmp_path / folder) for folder in ("found", "wanted"))
    assert differences(found, wanted) == ["gone is missing", ".part is left over", "other differs"]
    assert differences(wanted, wanted) == []


def test_a_process_that_goes_on_is_named(tmp_path):
    assert left_over(tmp_path, 1) == []
    with subprocess.Popen([sys.executable, "-c", "input()"], cwd=tmp_path, stdin=subprocess.PIPE) as process:
        assert left_over(tmp_path, 1) == [f"still running: {sys.executable} -c input()"]
        process.communicate(b"\n")


def test_a_run_that_had_ended_is_no_hit_and_begins_anew_with_an_earlier_moment(tmp_path, monkeypatch):
    stages, moments = iter(["", "", "crop"]), []

    def disturb(project, command, after, name, log):
        moments.append(after)
        return next(stages)

    def copy(root):
        root.mkdir()  # fails where the last one is still there
        return root

    monkeypatch.setattr("tests.torture.prepare", lambda *_: None)
    monkeypatch.setattr("tests.torture.disturb", disturb)
    project, (_, stage, after) = first_hit(SimpleNamespace(copy=copy), tmp_path / "run", "repro", random.Random(0), 60)
    assert (project, stage, after) == (tmp_path / "run", "crop", moments[2])
    assert 60 > moments[0] > moments[1] > moments[2]


@pytest.mark.slow
def test_killed_runs_end_in_the_files_of_an_undisturbed_one(warm, tmp_path):
    base, wanted, seconds = undisturbed(tmp_path)
    dice = random.Random(5)
    for number in range(3):
        (tmp_path / str(number)).mkdir()
        way, hits, wrong = torture(base, wanted, seconds, dice, tmp_path / str(number))
        assert wrong == [], (way, hits)
