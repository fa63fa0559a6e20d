"""A training of fewer epochs than its section says has the schedule of so many."""
import pytest
import torch

from stages.modeling.lr_schedules import make_schedule
from stages.modeling.train_model import shortened
from tests.sections import section


def rates(p) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], p.lr)
    schedule, out = make_schedule(optimizer, p, 5), []
    for _ in range(p.epochs * 5):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return out


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine"])
def test_the_schedule_of_a_refit_ends_where_the_refit_ends(schedule):
    p = section(epochs=8, schedule=schedule)
    assert rates(shortened(p, 3))[-1] < 0.1 * p.lr
    assert len(rates(shortened(p, 3))) == 15


def test_a_warm_up_leaves_at_least_one_epoch():
    p = shortened(section(epochs=8, schedule="cosine", warmup=5, freeze_epochs=4), 2)
    assert (p.epochs, p.warmup, p.freeze_epochs) == (2, 1, 1)
