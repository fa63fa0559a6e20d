"""The nodes of a Ray cluster give the bytes of one process, whatever their number and whichever of them dies.

The files for a cluster come first, since `ray symmetric-run` ends all of Ray on the machine; for the same reason all tests that
use Ray are in this file.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch
import yaml
from safetensors.torch import load_file
from torch.distributed import DistStoreError

from stages.core.errors import UserError
from stages.engine.cluster import needs_of, result, workers_beside
from stages.engine.group import first_error, is_mistake
from tests.conftest import ROOT, Project

ray = pytest.importorskip("ray")
FILES = ROOT / "docs/cluster"
OUTS = {"detect": ["data/boxes.csv", "data/unreadable.csv"], "crop": ["data/faces/0000.npy", "data/faces/faces.json"],
        "train age 0": ["models/age/0/weights.safetensors", "models/age/0/model.json"],
        "refit age": ["models/refit/age/weights.safetensors", "models/refit/age/model.json"],
        "predict age 0": ["data/predictions/age/0.parquet"]}


@pytest.fixture
def own(own):
    """A finished project without the faces and crops that its run kept, which would spare the nodes their work."""
    shutil.rmtree(own.root / "data/.resume")
    return own


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
    crops = own.root / "data/faces/0000.npy"
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


@pytest.fixture(scope="module")
def nodes():
    """A cluster of two nodes of one core on this machine."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


def start(project: Project, cluster, stage: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", *f"stages.{stage}".split()], cwd=project.root, text=True,
                            env=os.environ | {"RAY_ADDRESS": cluster.address}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def ended(process: subprocess.Popen) -> str:
    """What a stage printed that ended well."""
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out
    return out


def contents(project: Project, stage: str) -> list[bytes]:
    return [(project.root / file).read_bytes() for file in OUTS[stage]]


def made_by_one_process(project: Project, stage: str) -> list[bytes]:
    """The outs of a stage as one process makes them; they are gone afterwards."""
    project.set(machine__engine="local")
    done = project.python(*f"stages.{stage}".split())
    assert done.returncode == 0, done.stderr
    wanted = contents(project, stage)
    for file in OUTS[stage]:
        (project.root / file).unlink()
    shutil.rmtree(project.root / "data/.resume", ignore_errors=True)
    project.set(machine__engine="ray")
    return wanted


def workers_of(node) -> list[psutil.Process]:
    """The processes of a node that do a stage's work at the moment."""
    raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
    living = [child for child in raylet.children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in living if "ray::" in " ".join(child.cmdline()) and "IDLE" not in child.cmdline()[0]]


def lose_a_node(cluster, working) -> None:
    """Kill a node once `working` says so of it, with its workers, and put another in its place."""
    end = time.monotonic() + 120
    while not (busy := [node for node in cluster.worker_nodes if working(node)]):
        assert time.monotonic() < end, "no work came to the node"
        time.sleep(0.02)
    cluster.remove_node(busy[0], allow_graceful=False)


@pytest.mark.slow
@pytest.mark.parametrize("stage", OUTS)
def test_two_nodes_give_the_bytes_of_one_process(own, nodes, stage):
    own.set(refit=["age"], machine__batch=8)
    wanted = made_by_one_process(own, stage)
    ended(start(own, nodes, stage))
    assert contents(own, stage) == wanted


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["detect", "train age 0"])
def test_a_node_that_dies_costs_nothing_but_time(own, stage):
    from ray.cluster_utils import Cluster

    own.set(machine__batch=2, age__epochs=40, age__patience=40)
    wanted = made_by_one_process(own, stage)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1 if stage == "detect" else 0})
    try:
        cluster.add_node(num_cpus=1)
        process = start(own, cluster, stage)
        saved = own.root / "models/.resume/age-0.pt"
        lose_a_node(cluster, lambda node: workers_of(node) and (stage == "detect" or saved.exists()))
        cluster.add_node(num_cpus=1)
        out = ended(process)
    finally:
        cluster.shutdown()
    assert contents(own, stage) == wanted
    assert stage == "detect" or "going on after epoch" in out


@pytest.mark.slow
def test_a_mistake_is_one_line_from_any_node(own, nodes):
    own.set(machine__engine="ray", detect__max_bad=0)
    for photo in sorted((own.root / "data/sample/train/images").rglob("*.jpg"))[:3]:
        photo.write_bytes(b"no photo")
    assert own.python("stages.index").returncode == 0
    out, _ = (process := start(own, nodes, "detect")).communicate(timeout=300)
    assert process.returncode == 1
    assert "error: 1 photos to train on cannot be decoded" in out
    assert "Traceback" not in out


@pytest.mark.parametrize("address, why", [("127.0.0.1:9", "[Errno 111] Connection refused"),
                                          ("ray://127.0.0.1:9", "[Errno 111] Connection refused"),
                                          ("nowhere", "Invalid address format: nowhere")])
def test_a_cluster_that_is_not_there_is_one_line(own, address, why):
    own.set(machine__engine="ray")
    done = subprocess.run([sys.executable, "-m", "stages.crop"], check=False, cwd=own.root, capture_output=True, text=True,
                          env=os.environ | {"RAY_ADDRESS": address}, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (f"error: RAY_ADDRESS: {address}: no cluster there ({why}); run ray start "
                                            "--head there, ray stop here if an earlier one died, or set machine.engine: local")
    assert "Traceback" not in done.stderr


def test_a_cluster_that_died_on_this_machine_is_one_line(own, tmp_path):
    """ray start notes its address for those that come after it."""
    own.set(machine__engine="ray")
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray/ray_current_cluster").write_text("127.0.0.1:9\n")
    done = subprocess.run([sys.executable, "-m", "stages.crop"], check=False, cwd=own.root, capture_output=True, text=True,
                          env=os.environ | {"RAY_TMPDIR": str(tmp_path)}, timeout=60)
    assert done.stderr.splitlines()[-1].startswith("error: RAY_ADDRESS: not set: no cluster there ([Errno 111] Connection")


def test_no_more_processes_prepare_photos_than_a_part_has_cores_for():
    def machine(engine: str, workers: int) -> SimpleNamespace:
        return SimpleNamespace(engine=engine, workers=workers)

    assert workers_beside("cpu", machine("local", 64)) == workers_beside("cpu", machine("ray", 64)) == 0
    assert workers_beside("cuda", machine("local", 64)) == 64
    assert [workers_beside("cuda", machine("ray", workers)) for workers in (64, 2)] == [4, 2]


def failing(error: Exception) -> SimpleNamespace:
    """Ray whose task failed so."""
    def get(_):
        raise error
    return SimpleNamespace(get=get, exceptions=ray.exceptions, wait=lambda references, timeout: (references, []))


@pytest.mark.parametrize("error, said", [
    (ray.exceptions.RayTaskError("call", "Traceback", ModuleNotFoundError("No module named 'timm'")),
     "machine.engine: ray: a node does not have what this one has (No module named 'timm'); all need the folder"),
    (ray.exceptions.WorkerCrashedError(),
     "machine.engine: ray: Ray gave up on a part (WorkerCrashedError: The worker died unexpectedly"),
    (ray.exceptions.RayTaskError("call", "Traceback", FileNotFoundError(2, "No such file or directory", __file__)),
     f"machine.engine: ray: a node does not have what this one has ([Errno 2] No such file or directory: '{__file__}'); all"),
    (ray.exceptions.RayTaskError("call", "Traceback", RuntimeError("The remote function failed to import on the worker.\nTr")),
     "machine.engine: ray: a node does not have what this one has (The remote function failed to import on the worker.); all"),
    (ray.exceptions.RayTaskError("call", "Traceback", UserError("a.jpg: changed")), "a.jpg: changed"),
])
def test_what_went_wrong_on_a_node_is_one_line(error, said):
    with pytest.raises(UserError) as refused:
        result(failing(error), None, {"num_cpus": 1})
    assert str(refused.value).startswith(said)
    assert "Traceback" not in str(refused.value)


def test_a_fault_of_the_code_on_a_node_is_raised_as_it_was():
    with pytest.raises(ZeroDivisionError):
        result(failing(ray.exceptions.RayTaskError("call", "Traceback", ZeroDivisionError())), None, {"num_cpus": 1})


@pytest.mark.parametrize("error, mistake", [
    (ray.exceptions.RayTaskError("call", "", UserError("a.jpg: changed")), True),
    (ray.exceptions.RayTaskError("call", "", UserError("data/gloo/a.csv: no such file")), True),
    (ray.exceptions.RayTaskError("call", "", ZeroDivisionError()), True),
    (ray.exceptions.RayTaskError("call", "", RuntimeError("[gloo/transport/tcp/pair.cc] Connection reset")), False),
    (ray.exceptions.RayTaskError("call", "", RuntimeError("NCCL error: remote process exited")), False),
    (ray.exceptions.RayTaskError("call", "", DistStoreError("wait timeout after 5000ms, keys: /0//cpu//0/1")), False),
    (ray.exceptions.WorkerCrashedError(), False),
])
def test_a_lost_connection_is_no_mistake_of_a_training_so_it_starts_again(error, mistake):
    assert is_mistake(error) == mistake
    later = ray.exceptions.RayTaskError("call", "", RuntimeError("gloo: Connection closed by peer"))
    counts = error if mistake or isinstance(error, ray.exceptions.WorkerCrashedError) else later
    assert first_error(failing_in_turn(later, error), ["one", "two"]) is counts


def failing_in_turn(*errors: Exception) -> SimpleNamespace:
    """Ray whose tasks fail so, one after another."""
    left = list(errors)

    def get(_):
        raise left.pop(0)
    return SimpleNamespace(get=get, exceptions=ray.exceptions, wait=lambda references, timeout: (references[:1], []))


def test_what_no_node_has_is_no_fault_of_one():
    with pytest.raises(FileNotFoundError, match="data/no.such"):
        result(failing(ray.exceptions.RayTaskError("call", "", FileNotFoundError(2, "No such file", "data/no.such"))), None, {})


def test_where_no_node_is_left_that_could_take_a_part_it_waits_and_says_so(capsys):
    nodes = [{"Alive": True, "Resources": {"CPU": 2}}, {"Alive": False, "Resources": {"CPU": 16}}]
    looks = iter([[], [], ["done"]])
    small = SimpleNamespace(nodes=lambda: nodes, wait=lambda references, timeout: (next(looks), []), get=lambda reference: 7,
                            exceptions=ray.exceptions)
    assert result(small, None, {"num_cpus": 8}) == 7
    assert capsys.readouterr().out == "note: no node with 8 cores and no GPU is left; waiting for one to join\n"


def test_a_part_gets_a_gpu_where_there_is_one_and_never_more_cores_than_a_node_has():
    def needs(device: str, *nodes: dict) -> dict:
        nodes = [{"Alive": True, "Resources": node} for node in nodes] + [{"Alive": False, "Resources": {"CPU": 99, "GPU": 9}}]
        return needs_of(SimpleNamespace(nodes=lambda: nodes), SimpleNamespace(device=device), 8)

    assert needs("auto", {"CPU": 2}, {"CPU": 4}) == {"num_cpus": 4}
    assert needs("auto", {"CPU": 64}) == {"num_cpus": 8}
    assert needs("auto", {"CPU": 64}, {"CPU": 16, "GPU": 2}) == {"num_cpus": 4, "num_gpus": 1}
    assert needs("auto", {"CPU": 64}, {"CPU": 2, "GPU": 2}) == {"num_cpus": 1, "num_gpus": 1}
    assert needs("auto", {"CPU": 16, "GPU": 1}, {"CPU": 6, "GPU": 2}) == {"num_cpus": 3, "num_gpus": 1}  # no GPU without cores
    assert needs("cpu", {"CPU": 16, "GPU": 2}) == {"num_cpus": 8}
    with pytest.raises(UserError, match="machine.engine: ray: no node of the cluster has a core; wait until one has joined"):
        needs("auto", {"memory": 1})
    with pytest.raises(UserError, match="machine.device: 'cuda:1' is a GPU of this machine; with machine.engine: ray set auto"):
        needs("cuda:1", {"CPU": 16, "GPU": 2})


def test_without_the_package_the_parameter_is_named(own):
    own.set(machine__engine="ray")
    (own.root / "ray.py").write_text("raise ImportError('none')")
    done = own.python("stages.crop")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == ("error: params.yaml: machine.engine: 'ray', and the package ray is missing; run "
                                            "make env, or uv pip install 'ray>=2.40', or set local")


SHARED = {"age__devices": 2, "age__backbone": "test_convnext", "age__lr": 0.003}  # without batch normalisation


@pytest.mark.slow
def test_two_processes_that_share_each_batch_train_as_one_does(own, nodes):
    """Within rounding, whatever the photos of a batch have to do with each other."""
    def trained() -> tuple[dict, dict]:
        return (load_file(own.root / "models/age/0/weights.safetensors"),
                json.loads((own.root / "models/age/0/live/metrics.json").read_text()))

    own.set(age__loss="focal", age__class_weights="balanced", age__mixing="mixup", age__grad_accum_steps=2, age__ema=0.5,
            age__sampler="cell", age__freeze_epochs=1, age__epochs=4, age__batch=8, machine__engine="ray",
            age__optimizer="sgd", age__clip_grad=0, **SHARED | {"age__lr": 0.01})  # AdamW would hide a wrong scale of gradients
    out = ended(start(own, nodes, "train age 0"))
    assert "Ray: 2 processes share each batch, each gets 1 core and no GPU" in out
    assert out.count("epoch 4 of 4: ") == 1  # one of them speaks
    shared, curve = trained()
    own.set(age__devices=1, machine__engine="local")
    assert own.python("stages.train", "age", "0").returncode == 0
    alone, curve_alone = trained()
    for name, weight in alone.items():
        assert torch.allclose(shared[name], weight, atol=1e-5), name
    assert curve["val"] == pytest.approx(curve_alone["val"], abs=1e-4)
    assert curve["train"] == pytest.approx(curve_alone["train"], abs=1e-4)


@pytest.mark.slow
def test_a_node_that_dies_with_its_share_of_the_batches_costs_nothing_but_time(own):
    """Of three, since the sum of two has no order."""
    from ray.cluster_utils import Cluster

    own.set(age__epochs=40, age__patience=40, age__batch=12, machine__engine="ray", **SHARED | {"age__devices": 3})
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for _ in range(3):
            cluster.add_node(num_cpus=1)
        ended(start(own, cluster, "train age 0"))
        wanted = contents(own, "train age 0")
        process = start(own, cluster, "train age 0")
        lose_a_node(cluster, lambda node: workers_of(node) and (own.root / "models/.resume/age-0.pt").exists())
        cluster.add_node(num_cpus=1)
        out = ended(process)
    finally:
        cluster.shutdown()
    assert "note: a process of the training was lost (" in out
    assert "going on after epoch" in out
    assert contents(own, "train age 0") == wanted


@pytest.mark.slow
@pytest.mark.parametrize("changed, said", [
    ({"age__devices": 4},
     ("params.yaml: devices: 4, and the cluster has room for 2 at once with 1 core and no GPU each; set devices to 2, or add "
      "nodes")),
    ({"age__backbone": "test_efficientnet"},
     ("params.yaml: devices: 2, and test_efficientnet has batch normalisation, whose statistics torch exchanges between GPUs "
      "alone; set devices to 1, or machine.device to cuda")),
    ({}, "data/folds.csv: no such file; `dvc repro` makes what earlier stages write")])
def test_what_cannot_be_shared_is_one_line(own, nodes, changed, said):
    own.set(machine__engine="ray", **SHARED | changed)
    if not changed:
        (own.root / "data/folds.csv").unlink()
    out, _ = (process := start(own, nodes, "train age 0")).communicate(timeout=300)
    assert process.returncode == 1
    assert out.splitlines()[-1] == f"error: {said}"
    assert "Traceback" not in out
