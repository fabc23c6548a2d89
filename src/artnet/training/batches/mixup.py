"""Mixup and cutmix of a batch's views and targets.

Neighbours are mixed (the first with the second, the third with the fourth ...), so a batch that is divided among
processes is mixed like an undivided one.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

MixedBatch = tuple[Tensor, Tensor]  # views (B, 3, S, S) float32, targets (B, C + K + 1) float32, see `loss`


def mix_batch(
    views: Tensor, target: Tensor, mixup_alpha: float, cutmix_share: float, rng: np.random.Generator
) -> MixedBatch:
    """Mix a batch by mixup or, with probability `cutmix_share`, by cutmix; an alpha of 0 switches mixup off."""
    if rng.random() < cutmix_share:
        return cutmix(views, target, rng)
    return mixup(views, target, mixup_alpha, rng) if mixup_alpha > 0 else (views, target)


def mixup(views: Tensor, target: Tensor, alpha: float, rng: np.random.Generator) -> MixedBatch:
    """Blend each view with its neighbour, by a share drawn from Beta(alpha, alpha).

    Zhang et al., "mixup: beyond empirical risk minimization", 2018, equation 1.
    """
    share = float(rng.beta(alpha, alpha))
    partners = _neighbours(len(views), views.device)
    return share * views + (1 - share) * views[partners], share * target + (1 - share) * target[partners]


def cutmix(views: Tensor, target: Tensor, rng: np.random.Generator) -> MixedBatch:
    """Paste a rectangle of its neighbour into each view.

    Yun et al., "CutMix", 2019, section 3.1, with a uniformly distributed area (alpha 1) as there on ImageNet. The
    rectangle is clipped at the edge, and the targets are weighted by the resulting areas.
    """
    height, width = views.shape[-2:]
    top, bottom, left, right = _rectangle(height, width, float(rng.random()), rng)
    partners = _neighbours(len(views), views.device)
    mixed = views.clone()
    mixed[..., top:bottom, left:right] = views[partners][..., top:bottom, left:right]
    share = 1 - (bottom - top) * (right - left) / (height * width)
    return mixed, share * target + (1 - share) * target[partners]


def _rectangle(height: int, width: int, kept_share: float, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of a random rectangle of 1 - `kept_share` of the area; CutMix, equation 2."""
    side = math.sqrt(1 - kept_share)
    row, column = int(rng.integers(height)), int(rng.integers(width))
    half_height, half_width = int(height * side) // 2, int(width * side) // 2
    return (
        max(0, row - half_height),
        min(height, row + half_height),
        max(0, column - half_width),
        min(width, column + half_width),
    )


def _neighbours(count: int, device: torch.device) -> Tensor:
    """Return each view's partner; the last of an odd number is its own."""
    return (torch.arange(count, device=device) ^ 1).clamp(max=count - 1)
