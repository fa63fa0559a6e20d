"""All stages, every tool and the command `label` do without a network: they run in a network namespace that has none."""
import os
import subprocess
import sys

import pytest

ALL = """
import importlib, runpy, socket, sys
from pathlib import Path

try:
    socket.create_connection(("127.0.0.1", 9), 1)
except OSError as error:
    assert "unreachable" in str(error), error  # not even loopback, which would refuse
else:
    sys.exit("the network is not cut off")
for stage in ("sample", "index", "labels age", "split", "detect", "crop", "train age 0", "refit age", "predict age 0",
              "predict age refit", "combine", "evaluate", "report", "export"):
    sys.argv = stage.split()
    runpy.run_module(f"stages.{sys.argv[0]}", run_name="__main__")
for folder in ("tools", "benchmarks", "labeller", "labeller/service"):
    for file in Path(folder).glob("*.py"):
        if file.stem != "__main__":
            importlib.import_module(".".join([*Path(folder).parts, file.stem]))
from labeller.command import main
sys.argv = ["label", str(min(Path("data/sample/eval/images").iterdir())), "--bundle", "bundle/model"]
main()
"""


@pytest.mark.slow
def test_everything_runs_with_the_network_cut_off(own, tmp_path):
    cut = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    try:
        allowed = subprocess.run([*cut, "true"], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip("no network namespace may be made here")
    own.set(models=["age"], refit=["age"])
    env = os.environ | {"HOME": str(tmp_path), "HF_HOME": str(tmp_path / "hub"), "TORCH_HOME": str(tmp_path / "torch")}
    done = subprocess.run([*cut, sys.executable, "-c", ALL], check=False, cwd=own.root, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert ".jpg: " in done.stdout
