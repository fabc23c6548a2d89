"""Schedules of the learning rates, and the moving average of the weights."""

from __future__ import annotations

import math

import torch
from torch import nn

from artnet.training.recipe import Rates


def set_rates(optimizer: torch.optim.Optimizer, rates: Rates, step: int, epochs: int, steps_per_epoch: int) -> None:
    """Set the learning rate of each parameter group for a step, counted from 0 over the whole training."""
    if rates.schedule == "halving":
        factor = halving_factor(step // steps_per_epoch, rates.halve_every)
    else:
        factor = cosine_factor(step, epochs * steps_per_epoch, rates.warmup_share)
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def halving_factor(epoch: int, every: int) -> float:
    """Return the share of the peak rate in an epoch, counted from 0, that is halved every few epochs.

    >>> [halving_factor(epoch, 2) for epoch in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    return float(0.5 ** (epoch // every))


def cosine_factor(step: int, steps: int, warmup_share: float) -> float:
    """Return the share of the peak rate at a step: a linear warm-up, then half a cosine down to zero.

    Loshchilov and Hutter, "SGDR", 2017, equation 5, without restarts.
    """
    warmup = warmup_share * steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1.0, steps - warmup)))


def average_decay(step: int, longest: float) -> float:
    """Return the decay of the moving average at a step: short at first, so that the start is soon forgotten."""
    return min(longest, (1 + step) / (10 + step))


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the current ones by 1 - `decay`; counters are copied."""
    current = network.state_dict()
    for name, tensor in average.state_dict().items():
        if tensor.dtype.is_floating_point:
            tensor.lerp_(current[name], 1 - decay)
        else:
            tensor.copy_(current[name])
