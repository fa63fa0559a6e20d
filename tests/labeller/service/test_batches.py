"""What waits is done in batches, in equal shares; one failure is one item's; and nothing is lost when it closes."""
import threading

import pytest

from labeller.service.batches import Batches


class Held:
    """Work that waits until it is let go, and notes the batches."""

    def __init__(self):
        self.free, self.seen, self.busy = threading.Event(), [], threading.Event()

    def __call__(self, items: list) -> list:
        self.seen.append(items)
        self.busy.set()
        assert self.free.wait(20)
        return [item * 10 for item in items]


@pytest.fixture
def held():
    work = Held()
    yield work
    work.free.set()


def test_what_waits_is_taken_together_and_each_gets_its_own_result(held):
    batches = Batches(held, threads=1, most=3)
    first = batches.submit(0)
    assert held.busy.wait(20)  # the thread is at work, and these wait
    rest = [batches.submit(i) for i in range(1, 6)]
    held.free.set()
    assert [future.result(20) for future in [first, *rest]] == [0, 10, 20, 30, 40, 50]
    assert held.seen == [[0], [1, 2, 3], [4, 5]]
    batches.close()


def test_two_threads_share_what_waits(held):
    batches = Batches(held, threads=2, most=8)
    futures = [batches.submit(0), batches.submit(1)]
    while len(held.seen) < 2:
        held.busy.wait(0.01)
    held.seen.clear()
    futures += [batches.submit(i) for i in range(2, 8)]
    held.free.set()
    assert [future.result(20) for future in futures] == [i * 10 for i in range(8)]
    assert max(map(len, held.seen)) <= 4  # its own, and half of the others
    batches.close()


def test_an_item_that_fails_fails_alone(held):
    def work(items):
        if items != [9]:
            held(items)
        if 3 in items:
            raise ValueError("three")
        return items

    batches = Batches(work, threads=1, most=8)
    first = batches.submit(0)
    assert held.busy.wait(20)
    futures = {i: batches.submit(i) for i in (2, 3, 4)}
    held.free.set()
    assert [first.result(20), futures[2].result(20), futures[4].result(20)] == [0, 2, 4]
    with pytest.raises(ValueError, match="three"):
        futures[3].result(20)
    assert batches.submit(9).result(20) == 9  # the thread lives on
    assert batches.alive()
    batches.close()


def test_what_is_cancelled_while_it_waits_is_not_done(held):
    batches = Batches(held, threads=1, most=8)
    batches.submit(0)
    assert held.busy.wait(20)
    gone, kept = batches.submit(1), batches.submit(2)
    assert gone.cancel()
    held.free.set()
    assert kept.result(20) == 20
    assert held.seen == [[0], [2]]
    batches.close()


def test_closing_finishes_what_waits_and_ends_every_thread(held):
    batches = Batches(held, threads=2, most=2)
    futures = [batches.submit(i) for i in range(9)]
    held.free.set()
    batches.close()
    assert [future.result(0) for future in futures] == [i * 10 for i in range(9)]
    assert not any(thread.is_alive() for thread in batches.threads)
