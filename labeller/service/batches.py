"""Put what is asked for into batches: threads take what waits, each its share, and never wait for more."""
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread


class Batches:
    """Runs `work`, from a list of items to the list of their results, in `threads` threads, with at most `most` items.

    The queue itself has no bound; whoever submits keeps to one (labeller/service/limits.py).
    """

    def __init__(self, work: Callable[[list], list], threads: int, most: int):
        self.work, self.most = work, most
        self.waiting: SimpleQueue = SimpleQueue()
        self.threads = [Thread(target=self.serve, daemon=True, name=f"batches-{i}") for i in range(threads)]
        for thread in self.threads:
            thread.start()

    def submit(self, item) -> Future:
        """The result of an item, later; cancelling it works until a thread has taken it."""
        future: Future = Future()
        self.waiting.put((item, future))
        return future

    def alive(self) -> bool:
        """Whether all threads are at work."""
        return all(thread.is_alive() for thread in self.threads)

    def close(self) -> None:
        """Finish what waits, then end the threads."""
        for _ in self.threads:
            self.waiting.put(None)
        for thread in self.threads:
            thread.join()

    def serve(self) -> None:
        """The loop of one thread, until `close`."""
        while (first := self.waiting.get()) is not None:
            taken = [pair for pair in [first, *self.share()] if pair[1].set_running_or_notify_cancel()]
            if taken:
                self.run(taken)

    def share(self) -> list:
        """What else waits, up to an equal share for each thread."""
        out: list = []
        try:
            for _ in range(min(self.most - 1, self.waiting.qsize() // len(self.threads))):
                pair = self.waiting.get_nowait()
                if pair is None:
                    self.waiting.put(None)  # it ends another thread
                    break
                out.append(pair)
        except Empty:  # another thread was quicker
            pass
        return out

    def run(self, taken: list) -> None:
        """Do a batch; where it fails, each item by itself, so that one cannot fail the others."""
        try:
            results = self.work([item for item, _ in taken])
        except Exception as error:  # noqa: BLE001 it belongs to whoever asked
            if len(taken) == 1:
                taken[0][1].set_exception(error)
            else:
                for pair in taken:
                    self.run([pair])
            return
        for (_, future), result in zip(taken, results, strict=True):
            future.set_result(result)
