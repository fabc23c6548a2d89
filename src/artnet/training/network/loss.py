"""Say how far a network's answers are from the truth: movements by one loss, fine styles by another.

Knows nothing about networks, data or steps.

A target is a row of C + K + 1 numbers: the movements' shares, the styles' shares, and how much of the painting has a
style that is learnt. All three mix alike, since both losses are linear in them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from artnet.training.network.network import Logits, PaintingNetwork
from artnet.training.recipe import Recipe


def targets(movements: Tensor, styles: Tensor, network: PaintingNetwork) -> Tensor:
    """Turn indices (B,) into a network's targets (B, C + K + 1); a style of -1 leaves its part at zero."""
    count = 0 if network.styles is None else network.styles.out_features
    found = F.one_hot(torch.where(styles < 0, count, styles), count + 1).float()[:, :count]
    known = (styles >= 0).float()[:, None]
    return torch.cat([F.one_hot(movements, network.dense.out_features).float(), found, known], dim=1)


def loss_of(logits: Logits, target: Tensor, recipe: Recipe) -> Tensor:
    """Add the movements' cross entropy and, by the recipe's weight, the styles' binary cross entropy."""
    movements = logits.movements.shape[1]
    loss = F.cross_entropy(logits.movements, target[:, :movements], label_smoothing=recipe.label_smoothing)
    if logits.styles is None:
        return loss
    return loss + recipe.styles_weight * styles_loss(logits.styles, target[:, movements:-1], target[:, -1:])


def styles_loss(logits: Tensor, styles: Tensor, known: Tensor) -> Tensor:
    """Average the binary cross entropy over styles (B, K) and views; where `known` (B, 1) is 0, a view adds nothing.

    For a view of which `known` is 1 this is -t log s - (1 - t) log (1 - s) with s = sigmoid(logit), written so that it
    is linear in t and `known` together. Divided by the views of the whole batch, so that the parts of a batch that
    several devices hold add up to the loss of one.
    """
    return (known * F.softplus(logits) - styles * logits).mean()
