"""A disk without room ends each stage in one line that names a file; with room again it ends in the same bytes."""
import os
import resource
import subprocess
import sys

import pytest

from tests.torture import contents

STAGES = ["sample", "index", "labels age", "split", "detect", "crop", "train age 0", "predict age 0", "combine", "evaluate",
          "report"]
ROOM = 300  # bytes that a file may have


def run(project, stage: str, room: int) -> subprocess.CompletedProcess:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

    return subprocess.run([sys.executable, "-m", *f"stages.{stage}".split()], check=False, cwd=project.root, preexec_fn=limit,
                          env=os.environ, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_full_disk_is_one_line_and_nothing_is_left_half_written(own, ran, stage):
    done = run(own, stage, ROOM)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "File too large" in line or "disk" in line
    assert not list(own.root.rglob("*.part"))
    assert run(own, stage, resource.RLIM_INFINITY).returncode == 0
    assert contents(own.root) == contents(ran.root)
