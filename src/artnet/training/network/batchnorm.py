"""Unfold batch normalisation: put the statistics of the data back into weights that were published folded.

In folded weights every normalisation is an identity, so nothing keeps the activations in bounds while the weights
change. Written as y = scale' (x - mean) / deviation + shift', with the mean and deviation of the data, the network
computes what it computed before, and its statistics can be trained.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from artnet.training.network.network import BatchNorm, batch_norms


@torch.no_grad()
def restore_statistics(trunk: nn.Module, inputs: Iterable[Tensor]) -> None:
    """Set the running statistics of a trunk's batch normalisations to those of `inputs`, batches of (B, 3, S, S).

    In evaluation mode the trunk computes what it did before, up to rounding.
    """
    if not batch_norms(trunk):
        return
    trunk.eval()
    with _record_moments(trunk) as recorded:
        for batch in inputs:
            trunk(batch)
    for norm, moments in recorded.items():
        if norm.running_mean is None or norm.running_var is None:
            continue  # it normalises by its batch alone
        old = torch.sqrt(norm.running_var + norm.eps)
        norm.bias.add_(norm.weight * (moments.mean - norm.running_mean) / old)
        norm.weight.mul_(torch.sqrt(moments.variance + norm.eps) / old)
        norm.running_mean.copy_(moments.mean)
        norm.running_var.copy_(moments.variance)


class _Moments:
    """Mean and variance over all inputs of one normalisation, summed in float64."""

    def __init__(self) -> None:
        self._count, self._sum, self._squares = 0, torch.zeros(()), torch.zeros(())

    def add(self, values: Tensor) -> None:  # (B, C, h, w)
        rows = values.double().transpose(0, 1).flatten(1)
        self._count += rows.shape[1]
        self._sum = self._sum + rows.sum(1)
        self._squares = self._squares + rows.square().sum(1)

    @property
    def mean(self) -> Tensor:
        return (self._sum / self._count).float()

    @property
    def variance(self) -> Tensor:
        return (self._squares / self._count - (self._sum / self._count).square()).clamp_min(0).float()


def _add_input(moments: _Moments, norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    moments.add(inputs[0])


@contextmanager
def _record_moments(trunk: nn.Module) -> Iterator[dict[BatchNorm, _Moments]]:
    recorded = {norm: _Moments() for norm in batch_norms(trunk)}
    hooks = [norm.register_forward_pre_hook(partial(_add_input, moments)) for norm, moments in recorded.items()]
    try:
        yield recorded
    finally:
        for hook in hooks:
            hook.remove()
