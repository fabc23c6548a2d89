"""Treat a batch that is divided among processes as one: the head's dropout and its batch normalisation.

Knows nothing about who divided it. In a single process, and outside of training, both are PyTorch's own.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


def processes() -> int:
    """Count the processes that train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


class WholeBatchDropout(nn.Dropout):
    """Draw one mask for the whole batch, on the processor, and use this process's rows of it.

    So neither the number of processes nor the device changes what is dropped.
    """

    def forward(self, embedding: Tensor) -> Tensor:  # (N, E)
        """Drop each number with probability p and scale the others up."""
        if not self.training:
            return embedding
        count, rank = len(embedding), dist.get_rank() if processes() > 1 else 0
        drawn = torch.rand(processes() * count, embedding.shape[1])[rank * count : (rank + 1) * count]
        return embedding * (drawn >= self.p).to(embedding) / (1 - self.p)


class WholeBatchNorm(nn.BatchNorm1d):
    """Take mean and variance over the parts of all processes.

    Ioffe and Szegedy, "Batch normalization", 2015, algorithm 1. PyTorch's own SyncBatchNorm needs a GPU.
    """

    def forward(self, embedding: Tensor) -> Tensor:  # (N, E)
        """Normalise with the statistics of the whole batch, and let the running ones follow."""
        if not self.training or processes() == 1:
            return super().forward(embedding)
        embedding = embedding.float()
        count = len(embedding) * processes()
        mean = _Sum.apply(embedding.sum(0)) / count
        variance = _Sum.apply((embedding - mean).square().sum(0)) / count
        self._follow(mean.detach(), variance.detach() * count / (count - 1))
        scaled: Tensor = (embedding - mean) * torch.rsqrt(variance + self.eps)
        return scaled * self.weight + self.bias

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        running_mean, running_var, seen = self.running_mean, self.running_var, self.num_batches_tracked
        if running_mean is None or running_var is None or seen is None or self.momentum is None:
            return
        running_mean.lerp_(mean, self.momentum)
        running_var.lerp_(variance, self.momentum)
        seen.add_(1)


class _Sum(torch.autograd.Function):
    """Add up what the processes hold; each one's part has a share in the loss of all."""

    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        return _added(part)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _added(gradients[0])


def _added(part: Tensor) -> Tensor:
    whole = part.contiguous().clone()
    dist.all_reduce(whole)
    return whole
