"""A stage's work, done by the nodes of a Ray cluster (machine.engine: ray) in the bytes that this process would give.

The cluster is that of RAY_ADDRESS, or the one that runs on this machine, or else a new one of this machine's cores and GPUs
alone. All nodes see the project's folder under the same path, and have the same packages; the same bytes need the same kind
of processor, too. Work that dies with a worker or a node is done again by another, RETRIES times, and each part is taken once,
in order.
"""
import logging
import os
import re
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from stages.core.errors import UserError
from stages.core.params import Machine

RETRIES = 10  # of a part, after a lost worker or node
PATIENCE, LOOK = 10, 30  # seconds until an address answers, and between two looks at a part that takes long
LINGER = 0.5  # seconds in which the last lines that the workers printed arrive; as Ray's own at the end of a script
CORES_OF_A_GPU = 4  # for decoding, beside each GPU
DECIDING = ("OMP_", "MKL_", "ONEDNN_", "ATEN_", "OPENCV_", "CUBLAS_", "GOMP_")  # variables that bytes and speed depend on
NETWORK = ("NCCL_", "GLOO_")  # and those that say by which network processes exchange gradients


def on_cluster(machine: Machine) -> bool:
    return machine.engine == "ray"


def workers_beside(device: str, machine: Machine) -> int:
    """Processes that prepare photos beside a network: on a CPU they would take the cores that it needs, and on a cluster other
    parts have the rest of the node's."""
    if device == "cpu":
        return 0
    return min(machine.workers, CORES_OF_A_GPU) if on_cluster(machine) else machine.workers


def spread(function: str, parts: list[tuple], machine: Machine, threads: int = 1) -> Iterator:
    """Yield function(*part) of each part, in order, computed by the cluster.

    function: its name with its module, such as "stages.detect.find_part", which each node imports. threads: of torch, on which
    bytes depend. A part gets a GPU where the cluster has any and machine.device allows it. At most two parts for each that can
    run at once wait or run. Raises what the function raises, and UserError where the cluster cannot do it.
    """
    if not parts:
        return
    with cluster() as ray:
        needs = needs_of(ray, machine, threads)
        print(f"Ray: {sum(node['Alive'] for node in ray.nodes())} nodes, each part gets {told(needs)}", flush=True)
        task = ray.remote(call).options(name=function.rpartition(".")[2], max_retries=RETRIES, **needs)
        waiting = deque()
        for part in parts:
            waiting.append(task.remote(function, threads, os.getcwd(), part))
            if len(waiting) >= 2 * slots(ray, needs):
                yield result(ray, waiting.popleft(), needs)
        while waiting:
            yield result(ray, waiting.popleft(), needs)


def has_gpus(machine: Machine) -> bool:
    """Whether the parts of a stage get GPUs."""
    with cluster() as ray:
        return "num_gpus" in needs_of(ray, machine, 1)


def once(function: str, words: tuple, machine: Machine, threads: int) -> None:
    """Call a function by one worker of the cluster, whose output is printed here; as spread."""
    for _ in spread(function, [words], machine, threads):
        pass


@contextmanager
def cluster():
    """Ray, connected."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
    try:
        import ray
    except ImportError:
        raise UserError("params.yaml: machine.engine: 'ray', and the package ray is missing; run make env, or uv pip install "
                        "'ray>=2.40', or set local") from None
    address = os.environ.get("RAY_ADDRESS", "")
    variables = {key: value for key, value in os.environ.items() if key.startswith(DECIDING + NETWORK)}
    try:
        if found := re.fullmatch(r"(?:ray://)?\[?(.+?)\]?:(\d+)", address or noted()):  # Ray itself tries for many minutes
            socket.create_connection((found[1], int(found[2])), PATIENCE).close()
        ray.init(logging_level=logging.ERROR, runtime_env={"env_vars": variables} if variables else None)
    except (OSError, ValueError, RuntimeError, OverflowError, ray.exceptions.RayError) as error:
        raise UserError(f"RAY_ADDRESS: {address or 'not set'}: no cluster there ({first_line(error)}); run ray start --head "
                        "there, ray stop here if an earlier one died, or set machine.engine: local") from None
    try:
        yield ray
        time.sleep(LINGER)
    finally:
        ray.shutdown()


def noted() -> str:
    """The address of the cluster that ray start noted on this machine, which may have died since; or ""."""
    file = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir(), "ray/ray_current_cluster")
    return file.read_text().strip() if file.is_file() else ""


def needs_of(ray, machine: Machine, threads: int) -> dict[str, float]:
    """What a part asks of a node: a GPU and cores to decode, or as many cores as it has threads, if a node has so many."""
    if ":" in machine.device:
        raise UserError(f"params.yaml: machine.device: {machine.device!r} is a GPU of this machine; with machine.engine: ray "
                        "set auto, cpu or cuda")
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpu = machine.device != "cpu" and any(node.get("GPU") for node in nodes)
    cores = [int(node.get("CPU", 0)) for node in nodes]
    if not any(cores):
        raise UserError("machine.engine: ray: no node of the cluster has a core; wait until one has joined")
    if gpu:  # so few cores that no GPU is left without
        shares = [int(node.get("CPU", 0) // node["GPU"]) for node in nodes if node.get("GPU")]
        return {"num_cpus": max(1, min(CORES_OF_A_GPU, *shares)), "num_gpus": 1}
    return {"num_cpus": min(threads, max(cores))}


def told(needs: dict[str, float]) -> str:
    return f"{needs['num_cpus']} core{'s' * (needs['num_cpus'] > 1)} and {'a' if needs.get('num_gpus') else 'no'} GPU"


def fits(ray, needs: dict[str, float]) -> bool:
    """Whether a node that is there could take a part."""
    return any(node["Alive"] and node["Resources"].get("CPU", 0) >= needs["num_cpus"]
               and node["Resources"].get("GPU", 0) >= needs.get("num_gpus", 0) for node in ray.nodes())


def slots(ray, needs: dict[str, float]) -> int:
    """Parts that the nodes, as they are now, run at once; at least one."""
    kinds = [(kind, needs[key]) for key, kind in (("num_cpus", "CPU"), ("num_gpus", "GPU")) if needs.get(key)]
    return max(1, sum(min(int(node["Resources"].get(kind, 0) // need) for kind, need in kinds)
                      for node in ray.nodes() if node["Alive"]))


def call(function: str, threads: int, folder: str, words: tuple):
    """What a worker does."""
    os.chdir(folder)
    module, _, name = function.rpartition(".")
    function = getattr(import_module(module), name)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
    return function(*words)


def result(ray, reference, needs: dict[str, float]):
    """The result of a part; raises what it raised, or UserError where the cluster failed."""
    said = False
    try:
        while not ray.wait([reference], timeout=LOOK)[0]:
            if not said and not fits(ray, needs):
                print(f"note: no node with {told(needs)} is left; waiting for one to join", flush=True)
                said = True
        return ray.get(reference)
    except ray.exceptions.RayError as error:  # after RETRIES, where another try could help
        raise cause_of(error) from None


def cause_of(error: Exception) -> Exception:
    """What to raise for an error of Ray: what the part raised, or UserError where a node or the cluster failed."""
    if not hasattr(error, "cause"):
        return UserError(f"machine.engine: ray: Ray gave up on a part ({type(error).__name__}: {first_line(error)})")
    if lacks(error.cause):
        return UserError(f"machine.engine: ray: a node does not have what this one has ({first_line(error.cause)}); all "
                         f"need the folder {os.getcwd()} under this path, and the same packages")
    return error.cause


def lacks(error: Exception) -> bool:
    """Whether a node failed because it has not what this one has."""
    if isinstance(error, RuntimeError):
        return "failed to import on the worker" in str(error)
    here = isinstance(error, OSError) and error.filename and os.path.exists(error.filename)
    return isinstance(error, ModuleNotFoundError) or bool(here) and isinstance(error, (FileNotFoundError, NotADirectoryError))


def first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
