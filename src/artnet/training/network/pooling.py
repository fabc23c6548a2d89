"""A backbone's outputs of any layout as grids, and pooled to an embedding."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from artnet.training.recipe import Pooling


def pool(features: Tensor, trunk: nn.Module, pooling: Pooling) -> Tensor:
    """Return the embedding (N, E) of a trunk's last outputs.

    Args:
        features: what the trunk's `forward_features` returned
        trunk: a timm model
        pooling: `own` is timm's for this model; `cls` the class token; `mean` the mean over the grid; `cls_mean` both
    """
    if pooling == "own":
        head: Any = trunk.forward_head
        pooled: Tensor = head(features, pre_logits=True)
        return pooled
    parts = [features[:, 0]] if pooling in ("cls", "cls_mean") else []
    if pooling in ("mean", "cls_mean"):
        parts.append(to_grid(features, trunk).mean((2, 3)))
    return torch.cat(parts, dim=1)


def to_grid(output: Tensor, trunk: nn.Module) -> Tensor:
    """Return a module's output as a grid (N, C, h, w): maps as they are, tokens without prefix tokens and folded.

    Args:
        output: (N, C, h, w), (N, h, w, C) or tokens (N, T, C), of a square view
        trunk: the timm model of which the module is a part; it tells the layout

    Raises:
        ValueError: for an output that is no grid
    """
    if output.dim() == 4:
        # A transformer whose other outputs are tokens leaves the layout to its patch embedding.
        layout = getattr(trunk, "output_fmt", getattr(getattr(trunk, "patch_embed", None), "output_fmt", "NCHW"))
        return output.permute(0, 3, 1, 2) if layout == "NHWC" else output
    side = _grid_side(int(output.shape[1]), trunk) if output.dim() == 3 else 0
    if side == 0:
        raise ValueError(f"an output of shape {tuple(output.shape)} is no grid")
    tokens = output[:, -side * side :].transpose(1, 2)  # prefix tokens come first
    return tokens.reshape(*tokens.shape[:2], side, side)


def _grid_side(tokens: int, trunk: nn.Module) -> int:
    """Return the side of the square grid of so many tokens, 0 where there is none."""
    for prefix in (getattr(trunk, "num_prefix_tokens", 0), 0):
        side = math.isqrt(max(0, tokens - prefix))
        patches = getattr(getattr(trunk, "patch_embed", None), "num_patches", side * side)
        if side * side == tokens - prefix and (prefix == 0 or side * side == patches):
            return side
    return 0
