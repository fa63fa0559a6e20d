"""Results come in order, and no more of them wait than were asked for."""
import threading

import pytest

from labeller.faces.prefetch import prefetch


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_every_item_comes_once_and_in_order(workers):
    assert list(prefetch(lambda i: i * i, range(50), workers)) == [i * i for i in range(50)]


@pytest.mark.parametrize("workers, each", [(1, 1), (2, 4)])
def test_only_so_many_are_taken_before_the_first_is_wanted(workers, each):
    taken = []

    def items():
        for i in range(100):
            taken.append(i)
            yield i

    results = prefetch(lambda i: i, items(), workers, each)
    assert next(results) == 0
    assert len(taken) == workers * each + 1


def test_the_work_is_done_by_that_many_threads():
    met = threading.Barrier(3, timeout=30)  # passes only when three wait at once
    assert len(list(prefetch(lambda _: met.wait(), range(3), 3))) == 3


def test_an_error_reaches_whoever_takes_the_results():
    with pytest.raises(ZeroDivisionError):
        list(prefetch(lambda i: 1 / i, [1, 0], 2))
