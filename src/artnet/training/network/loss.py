"""The losses of the two heads: cross entropy of the movements, binary cross entropy of the styles.

A target is a row of C + K + 1 numbers: the movements' shares, the styles' shares, and the share of the view whose style
is learnt. Both losses are linear in them, so a mixed view needs no special case.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from artnet.training.network.network import Logits, PaintingNetwork
from artnet.training.recipe import Recipe


def make_targets(movements: Tensor, styles: Tensor, network: PaintingNetwork) -> Tensor:
    """Return targets (B, C + K + 1) float32 of movements' shares (B, C) and styles (B,), where -1 is one not learnt."""
    count = 0 if network.styles is None else network.styles.out_features
    style_shares = F.one_hot(torch.where(styles < 0, count, styles), count + 1).float()[:, :count]
    known = (styles >= 0).float()[:, None]
    return torch.cat([movements, style_shares, known], dim=1)


def total_loss(logits: Logits, target: Tensor, recipe: Recipe) -> Tensor:
    """Return the movements' loss plus the styles' loss times the recipe's weight."""
    movements = logits.movements.shape[1]
    loss = F.cross_entropy(logits.movements, target[:, :movements], label_smoothing=recipe.label_smoothing)
    if logits.styles is None:
        return loss
    return loss + recipe.styles_weight * styles_loss(logits.styles, target[:, movements:-1], target[:, -1:])


def styles_loss(logits: Tensor, styles: Tensor, known: Tensor) -> Tensor:
    """Return the mean binary cross entropy over views and styles.

    For a view whose style is known this is -t log s - (1 - t) log (1 - s) with s = sigmoid(logit), written so that it
    is linear in t and `known` together. The mean is over all views, so that the losses of a batch's parts on several
    devices average to the loss of the whole.

    Args:
        logits: (B, K)
        styles: (B, K), 0 to 1
        known: (B, 1), 0 to 1; a view of 0 contributes nothing
    """
    return (known * F.softplus(logits) - styles * logits).mean()
