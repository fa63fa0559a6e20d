"""A log gets one line every 30 seconds and one at the end, never a carriage return; a terminal gets a bar."""
import io
import sys

import pytest

from stages.core import progress as module
from stages.core.progress import duration, progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that each item moves on by 10 seconds."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def items(count: int):
        for item in range(count):
            now[0] += 10
            yield item
    return items


def test_a_log_gets_a_line_every_30_seconds_and_one_at_the_end(clock, capsys):
    assert list(progress(clock(8), "cutting", 8)) == list(range(8))
    assert capsys.readouterr().err.splitlines() == [
        "cutting: 3 of 8, 0.1 photo/s, 50 s left", "cutting: 6 of 8, 0.1 photo/s, 20 s left",
        "cutting: 8 of 8 in 1 min 20 s, 0.1 photo/s"]


def test_without_a_summary_what_is_soon_done_says_nothing(clock, capsys):
    assert len(list(progress(clock(2), "epoch 1", 2, summary=False))) == 2
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(clock, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(progress(clock(3), "cutting", 3)) == [0, 1, 2]
    assert "\rcutting" in terminal.getvalue()


@pytest.mark.parametrize("seconds, said", [(0.4, "0 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")])
def test_a_duration_is_said_in_the_units_of_its_size(seconds, said):
    assert duration(seconds) == said
