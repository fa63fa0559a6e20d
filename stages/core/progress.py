"""Progress of long work: a bar on a terminal; elsewhere, such as in a log, a line every 30 seconds and one at the end."""
import sys
import time
from collections.abc import Iterable, Iterator

from tqdm import tqdm

EVERY = 30  # seconds between two lines


def progress(items: Iterable, title: str, total: int | None = None, unit: str = "photo", summary: bool = True) -> Iterator:
    """Yield the items, and show on stderr how many are done, the rate and the time left.

    total: number of items, needed if `items` has no length. summary: whether a line remains at the end.
    """
    total = len(items) if total is None else total
    if sys.stderr.isatty():
        yield from tqdm(items, title, total, unit=unit, mininterval=1, leave=summary)
        return
    started = last = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - last >= EVERY and done < total:
            last, rate = now, done / (now - started)
            say(f"{title}: {done} of {total}, {rate:.3g} {unit}/s, {duration((total - done) / rate)} left")
    if summary:
        took = time.monotonic() - started
        say(f"{title}: {total} of {total} in {duration(took)}, {total / max(took, 1e-3):.3g} {unit}/s")


def say(line: str, file=None) -> None:
    """Print a line above the progress bar, if there is one; to stderr by default."""
    tqdm.write(line, file=file or sys.stderr)


def duration(seconds: float) -> str:
    """12 s, 3 min 20 s, or 2 h 05 min."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
