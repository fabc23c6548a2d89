"""How rates rise and fall over a training, and how the averaged weights follow.

Knows nothing about data or devices.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from artnet.training.recipe import Rates


def set_rates(optimizer: torch.optim.Optimizer, rates: Rates, step: int, epochs: int, steps_per_epoch: int) -> None:
    """Set every group of parameters to its share of its peak rate at this step of the whole training."""
    if rates.course == "halving":
        share = halving_share(step // steps_per_epoch, rates.halved_every)
    else:
        share = cosine_share(step, epochs * steps_per_epoch, rates.warmup_share)
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * share


def halving_share(epoch: int, every: int) -> float:
    """Give the share of the peak rate in an epoch, counted from 0, that is halved every few epochs."""
    return float(0.5 ** (epoch // every))


def cosine_share(step: int, steps: int, warmup_share: float) -> float:
    """Give the share of the peak rate at a step: a straight warm-up, then half a cosine down to zero.

    Loshchilov and Hutter, "SGDR", 2017, equation 5, without restarts.
    """
    warmup = warmup_share * steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1.0, steps - warmup)))


def average_decay(step: int, longest: float) -> float:
    """Give the decay of the moving average at a step: short at first, so that the start is soon forgotten."""
    return min(longest, (1 + step) / (10 + step))


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the averaged weights a little towards the current ones; counters are copied."""
    current = network.state_dict()
    for name, tensor in average.state_dict().items():
        source = current[name]
        if tensor.dtype.is_floating_point:
            tensor.lerp_(source, 1 - decay)
        else:
            tensor.copy_(source)
