"""Each schedule's rate over a training, from its first step to its last."""
from itertools import pairwise

import numpy as np
import pytest
import torch

from stages.modeling.lr_schedules import make_schedule
from tests.sections import section

EPOCHS, STEPS = 8, 10  # of the training, and in each epoch


def rates(**changes) -> list[float]:
    """The rate of each step, as a share of lr."""
    p = section(lr=0.5, epochs=EPOCHS, **changes)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=p.lr)
    schedule, out = make_schedule(optimizer, p, STEPS), []
    for _ in range(EPOCHS * STEPS):
        out.append(optimizer.param_groups[0]["lr"] / p.lr)
        optimizer.step()
        schedule.step()
    return out


@pytest.mark.parametrize("schedule, first, last", [("none", 1, 1), ("cosine", 1, 0), ("one_cycle", 1 / 25, 0)])
def test_a_schedule_runs_from_its_first_to_its_last_rate(schedule, first, last):
    got = rates(schedule=schedule)
    assert got[0] == pytest.approx(first)
    assert got[-1] == pytest.approx(last, abs=0.01)
    assert max(got) == pytest.approx(1, abs=0.01)


def test_cosine_starts_again_after_each_period():
    got = rates(schedule="cosine_restarts", schedule_period=2)
    assert [i for i, rate in enumerate(got) if rate == pytest.approx(1)] == [0, 20, 40, 60]
    assert got[19] < 0.01


def test_step_decays_at_once_and_exponential_little_by_little():
    step = rates(schedule="step", schedule_period=2, schedule_decay=0.5)
    assert step[:20] == pytest.approx([1] * 20)
    assert step[20:40] == pytest.approx([0.5] * 20)
    falling = rates(schedule="exponential", schedule_period=2, schedule_decay=0.5)
    assert all(a > b for a, b in pairwise(falling))
    assert falling[20] == pytest.approx(0.5)
    assert falling[10] == pytest.approx(0.5**0.5)


@pytest.mark.parametrize("schedule", ["cosine", "cosine_restarts", "step", "exponential"])
def test_the_rate_rises_through_the_warmup_and_then_follows_the_schedule(schedule):
    got = rates(schedule=schedule, warmup=2)
    assert got[0] == pytest.approx(0.01)
    assert all(a < b for a, b in pairwise(got[:20]))
    steps = np.arange(60)
    without = (1 + np.cos(np.pi * steps / 60)) / 2 if schedule == "cosine" else rates(schedule=schedule)[:60]
    assert got[20:] == pytest.approx(without)  # the cosine reaches 0 in whatever time is left
    assert got[20] == pytest.approx(1)
