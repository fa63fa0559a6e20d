"""Work ahead in threads: whoever takes the results one by one seldom waits, and memory stays flat."""
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor


def prefetch(function: Callable, items: Iterable, workers: int, each: int = 4) -> Iterator:
    """Yield function(item) of each item, in order, computed by `workers` threads; by the caller's own where it is 0.

    At most `each` results a worker wait to be taken, however many items there are.
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
