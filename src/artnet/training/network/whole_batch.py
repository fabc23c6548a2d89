"""Treat a batch that is divided among processes as one: the head's dropout, and all batch normalisation that learns.

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
    """Take mean and variance over the parts of all processes."""

    def forward(self, embedding: Tensor) -> Tensor:  # (N, E)
        """Normalise with the statistics of the whole batch, and let the running ones follow."""
        if not self.training or processes() == 1:
            return super().forward(embedding)
        return _normalised(self, embedding)


class WholeBatchNorm2d(nn.BatchNorm2d):
    """Take the place of a trunk's batch normalisation, and of what timm keeps in the same module behind it."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__(norm.num_features, norm.eps, norm.momentum)
        for name, tensor in (*norm.named_parameters(recurse=False), *norm.named_buffers(recurse=False)):
            setattr(self, name, tensor)
        self.drop, self.act = getattr(norm, "drop", nn.Identity()), getattr(norm, "act", nn.Identity())

    def forward(self, maps: Tensor) -> Tensor:  # (N, C, H, W)
        """Normalise with the statistics of the whole batch, let the running ones follow, and activate."""
        alone = not self.training or processes() == 1
        activated: Tensor = self.act(self.drop(super().forward(maps) if alone else _normalised(self, maps)))
        return activated


def normalise_together(network: nn.Module) -> None:
    """Put a `WholeBatchNorm2d` with the same tensors in the place of each batch normalisation of maps."""
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.BatchNorm2d):
            network.set_submodule(name, WholeBatchNorm2d(module))


def _normalised(norm: nn.BatchNorm1d | nn.BatchNorm2d, values: Tensor) -> Tensor:
    """Normalise each channel of (N, C, ...) over the parts of all processes, and let the running statistics follow.

    Ioffe and Szegedy, "Batch normalization", 2015, algorithm 1. PyTorch's own SyncBatchNorm needs a GPU.
    """
    wide = values.float()
    others = [axis for axis in range(wide.dim()) if axis != 1]
    count = wide.numel() // wide.shape[1] * processes()
    shape = [-1 if axis == 1 else 1 for axis in range(wide.dim())]
    mean = _Sum.apply(wide.sum(others)) / count
    centred = wide - mean.view(shape)
    variance = _Sum.apply(centred.square().sum(others)) / count
    _follow(norm, mean.detach(), variance.detach() * count / (count - 1))
    scaled = centred * torch.rsqrt(variance + norm.eps).view(shape)
    normal: Tensor = (scaled * norm.weight.view(shape) + norm.bias.view(shape)).to(values.dtype)
    return normal


@torch.no_grad()
def _follow(norm: nn.BatchNorm1d | nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    running_mean, running_var, seen = norm.running_mean, norm.running_var, norm.num_batches_tracked
    if running_mean is None or running_var is None or seen is None or norm.momentum is None:
        return
    running_mean.lerp_(mean, norm.momentum)
    running_var.lerp_(variance, norm.momentum)
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
