"""Give batch normalisations that were folded into their convolutions the statistics of the data back.

Knows nothing about data or losses. Published weights often come folded: every normalisation is an identity, and nothing
holds the activations while the weights move. Written as y = scale' (x - mean) / deviation + shift', with mean and
deviation as the data have them, the network computes what it computed, and its statistics can be trained.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from artnet.training.network.network import BatchNorm, norms


@torch.no_grad()
def restore_statistics(trunk: nn.Module, views: Iterable[Tensor]) -> None:
    """Let every batch normalisation of a trunk hold the statistics of `views`, batches of (B, 3, S, S), normalised.

    In evaluation the trunk computes what it did before, but for rounding.
    """
    trunk.eval()
    with _moments(trunk) as moments:
        for batch in views:
            trunk(batch)
    for norm, seen in moments.items():
        if norm.running_mean is None or norm.running_var is None:
            continue  # it normalises by its batch alone
        old = torch.sqrt(norm.running_var + norm.eps)
        norm.bias.add_(norm.weight * (seen.mean - norm.running_mean) / old)
        norm.weight.mul_(torch.sqrt(seen.variance + norm.eps) / old)
        norm.running_mean.copy_(seen.mean)
        norm.running_var.copy_(seen.variance)


def _add(seen: _Moments, norm: nn.Module, given: tuple[Tensor, ...]) -> None:
    seen.add(given[0])


class _Moments:
    """Sums over all that one normalisation was given, in float64."""

    def __init__(self) -> None:
        self.count, self.total, self.squares = 0, torch.zeros(()), torch.zeros(())

    def add(self, values: Tensor) -> None:  # (B, C, h, w)
        rows = values.double().transpose(0, 1).flatten(1)
        self.count += rows.shape[1]
        self.total = self.total + rows.sum(1)
        self.squares = self.squares + rows.square().sum(1)

    @property
    def mean(self) -> Tensor:
        return (self.total / self.count).float()

    @property
    def variance(self) -> Tensor:
        return (self.squares / self.count - (self.total / self.count).square()).clamp_min(0).float()


@contextmanager
def _moments(trunk: nn.Module) -> Iterator[dict[BatchNorm, _Moments]]:
    """Watch what each normalisation is given while the block runs."""
    found = {norm: _Moments() for norm in norms(trunk)}
    hooks = [norm.register_forward_pre_hook(partial(_add, seen)) for norm, seen in found.items()]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()
