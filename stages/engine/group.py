"""One function in several processes of a Ray cluster at once, which exchange tensors by torch.distributed.

If a process is lost, alone or with its node, all of them end and start again, cluster.RETRIES times. Ray Train does the same,
but prints every line twice, a traceback for each mistake, and starts in 20 s instead of 5 (Ray 2.60).
"""
import os
import re
from contextlib import redirect_stderr, redirect_stdout

from stages.core.errors import UserError
from stages.core.params import Machine
from stages.engine.cluster import LOOK, RETRIES, call, cause_of, cluster, first_line, needs_of, slots, told

MISTAKES = (UserError, OSError, MemoryError)  # of the data, the disk or the machine


def together(function: str, words: tuple, machine: Machine, processes: int, threads: int) -> None:
    """Call function(*words) in so many processes at once, each with a GPU where the cluster has any; the first one prints.

    function, threads: as cluster.spread. Raises what the function raises, and UserError where the cluster cannot do it.
    """
    with cluster() as ray:
        needs = needs_of(ray, machine, threads)
        if (most := slots(ray, needs)) < processes:
            raise UserError(f"params.yaml: devices: {processes}, and the cluster has room for {most} at once with "
                            f"{told(needs)} each; set devices to {most}, or add nodes")
        print(f"Ray: {processes} processes share each batch, each gets {told(needs)}", flush=True)
        for left in reversed(range(RETRIES + 1)):
            try:
                error = failure(ray, (function, threads, os.getcwd(), words), processes, needs)
            except ray.exceptions.RayError as lost:
                error = lost
            if error is None:
                return
            if is_mistake(error) or not left:
                raise cause_of(error) from None
            print(f"note: a process of the training was lost ({first_line(error)}); all of them start again", flush=True)


def failure(ray, words: tuple, processes: int, needs: dict[str, float]) -> Exception | None:
    """Start the processes and wait for them: None where all end well, or else Ray's error of the one that failed.

    Raises Ray's errors of a cluster that fails.
    """
    from ray.util import get_node_ip_address, placement_group, remove_placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy
    from torch.distributed import TCPStore

    host = get_node_ip_address()
    store = TCPStore(host, 0, is_master=True, wait_for_workers=False)  # where the processes find each other
    places = placement_group([{"CPU": needs["num_cpus"], "GPU": needs.get("num_gpus", 0)}] * processes)
    if not places.wait(LOOK):
        print(f"note: waiting for {processes} times {told(needs)} to be free", flush=True)
        ray.get(places.ready())
    backend, running = "nccl" if "num_gpus" in needs else "gloo", []
    try:
        for rank in range(processes):
            task = ray.remote(max_calls=1)(call_in_group).options(name=words[0].rpartition(".")[2], max_retries=0, **needs,
                                                     scheduling_strategy=PlacementGroupSchedulingStrategy(places, rank))
            running.append(task.remote((host, store.port, rank, processes, backend), words))
        return first_error(ray, running)
    finally:
        left = ray.wait(running, num_returns=len(running), timeout=0)[1] if running else []
        for reference in left:  # Ray 2.60 may abort where one that has just ended is cancelled
            ray.cancel(reference, force=True)
        remove_placement_group(places)


def first_error(ray, running: list) -> Exception | None:
    """The error to act on; None where all end well.

    Where a process is lost, the others may fail first, since they miss it. So all have LOOK seconds to fail by themselves,
    unless the first has: a mistake counts, then a lost process, then what others say of it.
    """
    errors, timeout = [], None
    while running and (ended := ray.wait(running, timeout=timeout)[0]):
        running = [reference for reference in running if reference not in ended]
        try:
            ray.get(ended)
        except ray.exceptions.RayTaskError as error:
            errors, timeout = [*errors, error], LOOK
            if isinstance(error.cause, MISTAKES):
                return error
        except ray.exceptions.RayError as error:
            return error
    return next(filter(is_mistake, errors), errors[0] if errors else None)


def is_mistake(error: Exception) -> bool:
    """Whether an error of Ray is what the function itself raised: no lost process, and no complaint of missing another."""
    from torch.distributed import DistError

    cause = getattr(error, "cause", None)
    if cause is None or isinstance(cause, MISTAKES):  # whose texts may name anything, such as a file gloo.csv
        return cause is not None
    return not isinstance(cause, DistError) and not re.search("gloo|NCCL", str(cause))


def call_in_group(group: tuple[str, int, int, int, str], words: tuple) -> None:
    """What each process does; group: host and port of the store, its rank, how many there are, and how they exchange."""
    from torch import distributed

    host, port, rank, processes, backend = group
    distributed.init_process_group(backend, store=distributed.TCPStore(host, port, is_master=False), rank=rank,
                                   world_size=processes)
    if rank == 0:
        call(*words)
    else:
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            call(*words)
    distributed.destroy_process_group()  # not after an error, where NCCL would wait for the others; the worker ends by itself
