"""The files for a cluster do what they say, as far as one machine can tell: a job of one node runs the pipeline by Ray."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

FILES = ROOT / "docs/cluster"


@pytest.fixture
def job(own, tmp_path):
    """A function that runs a script as a cluster's job of one node, where `make repro` is the stage crop of a tiny project."""
    own.set(machine__engine="ray")
    folder = tmp_path / "commands"
    folder.mkdir()
    for name, script in {"scontrol": "echo 127.0.0.1", "srun": 'exec "$@"',
                         "make": f'[ "$1 $2" = "repro JOBS=1" ] && exec {sys.executable} -m stages.crop'}.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    (own.root / ".venv").mkdir()
    (own.root / ".venv/bin").symlink_to(Path(sys.executable).parent)
    crops = own.root / "data/faces/faces.npy"
    before = crops.read_bytes()
    crops.unlink()

    def run(script: str, **variables) -> None:
        env = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"} | variables
        script = script.replace("export PATH=$PWD/.venv/bin:$PATH", f"export PATH={folder}:$PWD/.venv/bin:$PATH")
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], check=False, cwd=own.root, env=env, text=True,
                              capture_output=True, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr
        assert crops.read_bytes() == before

    return run


@pytest.mark.slow
def test_a_slurm_job_runs_the_pipeline_on_its_nodes(job):
    job((FILES / "slurm.sh").read_text().replace(":6379", ":6389"), SLURM_JOB_NODELIST="node[1-1]", SLURM_JOB_NUM_NODES="1")


@pytest.mark.slow
def test_a_skypilot_task_runs_the_pipeline_on_its_nodes(job):
    task = yaml.safe_load((FILES / "skypilot.yaml").read_text())
    assert "/project" in task["volumes"]
    setup = 'SKYPILOT_SETUP_NODE_RANK=0; make() { :; }\n' + task["setup"]
    job((setup + task["run"]).replace("cd /project\n", ""), SKYPILOT_NODE_IPS="127.0.0.1", SKYPILOT_NUM_NODES="1")


def test_the_pods_of_kubernetes_have_the_pinned_ray_and_share_the_project():
    cluster = yaml.safe_load((FILES / "kuberay.yaml").read_text())
    pinned = re.search(r"^ray==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)[1]
    assert cluster["spec"]["rayVersion"] == pinned
    pods = [cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]]
    for pod in (pod["template"]["spec"] for pod in pods):
        [container] = pod["containers"]
        assert container["image"].startswith(f"rayproject/ray:{pinned}-")
        assert {"name": "project", "mountPath": "/project"} in container["volumeMounts"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
        assert container["resources"]["limits"] == container["resources"]["requests"]
