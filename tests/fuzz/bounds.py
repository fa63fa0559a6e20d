"""What every input may take: 2 seconds, half a gigabyte, and nothing but a refusal of one line.

`FUZZ=1000 python -m pytest tests/fuzz` tries a thousand new examples a test; without FUZZ each tries the same few.
"""
import os
import resource
import signal
from contextlib import contextmanager, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pyarrow as pa
from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("FUZZ") or 0)
SECONDS, MEMORY = 2, 512 << 20  # of the processor, beyond what the process has
PHASES = [Phase.explicit, Phase.generate, Phase.shrink]  # no database of failures: an input that failed once is an @example
fuzzed = settings(max_examples=EXAMPLES or 30, derandomize=not EXAMPLES, database=None, deadline=None, print_blob=True,
                  phases=PHASES, suppress_health_check=[*HealthCheck])


pa.set_memory_pool(pa.system_memory_pool())  # the others reserve gigabytes of addresses at a time


class OutOfBounds(BaseException):
    """It took too long. No Exception, which the code might take for a fault of the input."""


@contextmanager
def limited(seconds: float = SECONDS, memory: int = MEMORY):
    """Let the block take so many seconds of the processor, and so many bytes beyond what the process has."""
    def too_long(*_):
        raise OutOfBounds(f"more than {seconds} s")

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGPROF, too_long)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    resource.setrlimit(resource.RLIMIT_AS, (used + memory, hard))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextmanager
def bounded(*refusals: type[Exception]):
    """Let the block raise `refusals`, of one line each, and nothing else, within SECONDS and MEMORY."""
    try:
        with limited(), redirect_stdout(TextIOWrapper(BytesIO(), "utf-8", write_through=True)):  # which refuses what is no text
            yield
    except refusals as refusal:
        said = str(refusal)
        assert said and len(said.splitlines()) == 1, f"not one line: {said!r}"
        assert "malloc" not in said and "MemoryError" not in said, f"more than {MEMORY >> 20} MB: {said}"
