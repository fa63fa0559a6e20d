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
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from stages.core.errors import UserError
from stages.core.params import Machine

RETRIES = 10  # of a part, after a lost worker or node
PATIENCE = 10  # seconds until an address answers
CORES_OF_A_GPU = 4  # for decoding, beside each GPU
DECIDING = ("OMP_", "MKL_", "ONEDNN_", "ATEN_", "OPENCV_", "CUBLAS_", "GOMP_")  # variables that bytes and speed depend on


def on_cluster(machine: Machine) -> bool:
    return machine.engine == "ray"


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
        task = ray.remote(call).options(name=function.rpartition(".")[2], max_retries=RETRIES, **needs)
        waiting = deque()
        for part in parts:
            waiting.append(task.remote(function, threads, os.getcwd(), part))
            if len(waiting) >= 2 * slots(ray, needs):
                yield result(ray, waiting.popleft())
        while waiting:
            yield result(ray, waiting.popleft())


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
    variables = {key: value for key, value in os.environ.items() if key.startswith(DECIDING)}
    try:
        if found := re.fullmatch(r"(?:ray://)?\[?(.+?)\]?:(\d+)", address):  # Ray itself tries for many minutes
            socket.create_connection((found[1], int(found[2])), PATIENCE).close()
        ray.init(logging_level=logging.ERROR, runtime_env={"env_vars": variables} if variables else None)
    except (OSError, ValueError, RuntimeError, OverflowError) as error:
        raise UserError(f"RAY_ADDRESS: {address or 'not set'}: no cluster there ({first_line(error)}); run ray start --head "
                        "there, or set machine.engine: local") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def needs_of(ray, machine: Machine, threads: int) -> dict[str, float]:
    """What a part asks of a node: a GPU and cores to decode, or as many cores as it has threads, if a node has so many."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpu = machine.device != "cpu" and any(node.get("GPU") for node in nodes)
    wanted = CORES_OF_A_GPU if gpu else threads
    most = max((int(node.get("CPU", 0)) for node in nodes if not gpu or node.get("GPU")), default=0)
    return {"num_cpus": min(wanted, most), **({"num_gpus": 1} if gpu else {})}


def slots(ray, needs: dict[str, float]) -> int:
    """Parts that the cluster, as it is now, runs at once; at least one."""
    total = ray.cluster_resources()
    return max(1, min(int(total.get(kind, 0) // needs[key]) for key, kind in (("num_cpus", "CPU"), ("num_gpus", "GPU"))
                      if needs.get(key)))


def call(function: str, threads: int, folder: str, words: tuple):
    """What a worker does."""
    os.chdir(folder)
    module, _, name = function.rpartition(".")
    function = getattr(import_module(module), name)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
    return function(*words)


def result(ray, reference):
    """The result of a part; raises what it raised, or UserError where the cluster failed."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, (ModuleNotFoundError, FileNotFoundError, NotADirectoryError)):
            raise UserError(f"machine.engine: ray: a node does not have what this one has ({error.cause}); all need the folder "
                            f"{os.getcwd()} under this path, and the same packages") from None
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise UserError(f"machine.engine: ray: lost {RETRIES + 1} workers or nodes over the same part, the last: "
                        f"{first_line(error)}") from None


def first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
