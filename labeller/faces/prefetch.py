"""Prefetch results in threads, in order; at most `each` results per worker wait."""
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor


def prefetch(function: Callable, items: Iterable, workers: int, each: int = 4) -> Iterator:
    """Yield function(item) for each item, in order, computed by `workers` threads; 0: by the caller's thread.

    At most `each` results per worker wait to be taken, so that memory stays flat however many items there are.
    """
    if workers == 0:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > each * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
