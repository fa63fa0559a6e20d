"""Learning rate schedules by name, from torch; one step a batch."""
from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LinearLR,
    LRScheduler,
    OneCycleLR,
    SequentialLR,
    StepLR,
)

from stages.core.model_params import Model


def make_schedule(optimizer: Optimizer, p: Model, steps_an_epoch: int) -> LRScheduler:
    """The schedule over p.epochs of the optimizer's rates, each between 0 and its own peak.

    In the first p.warmup epochs they rise linearly from a hundredth.

    one_cycle: Smith and Topin, "Super-Convergence", 2018. cosine_restarts: Loshchilov and Hutter, "SGDR", 2017, with
    equal periods. step and exponential multiply the rate by schedule_decay every schedule_period epochs: step at once,
    exponential gradually.
    """
    steps = max(1, p.epochs * steps_an_epoch)
    warmup = p.warmup * steps_an_epoch
    main = after_warmup(optimizer, p, steps - warmup, steps_an_epoch)
    if not warmup:
        return main
    return SequentialLR(optimizer, [LinearLR(optimizer, 0.01, total_iters=warmup), main], [warmup])


def after_warmup(optimizer: Optimizer, p: Model, steps: int, steps_an_epoch: int) -> LRScheduler:
    period = max(1, p.schedule_period * steps_an_epoch)
    if p.schedule == "one_cycle":
        return OneCycleLR(optimizer, [group["lr"] for group in optimizer.param_groups], total_steps=steps + 1)
    if p.schedule == "cosine":
        return CosineAnnealingLR(optimizer, steps)
    if p.schedule == "cosine_restarts":
        return CosineAnnealingWarmRestarts(optimizer, period)
    if p.schedule == "step":
        return StepLR(optimizer, period, p.schedule_decay)
    if p.schedule == "exponential":
        return ExponentialLR(optimizer, p.schedule_decay ** (1 / period))
    assert p.schedule == "none"  # a name that is new in model_params.py and has no branch here
    return ConstantLR(optimizer, 1, steps)
