"""Decide which tensors of a network learn, and how fast each.

Knows nothing about losses or data.
"""

from __future__ import annotations

from typing import Any

from timm.models import group_parameters
from torch import nn

from artnet.errors import UsageError
from artnet.training.network.network import PaintingNetwork, norms
from artnet.training.recipe import FreezingOptions, Rates


def choose_trained(network: PaintingNetwork, trained: FreezingOptions) -> None:
    """Let the head learn and, of the trunk, what the recipe says; everything else is frozen.

    Errors: `UsageError` for a module that this trunk has not.
    """
    network.requires_grad_(True)
    named = dict(network.trunk.named_parameters())
    first = round(trained.frozen_share * len(named))
    for index, (name, tensor) in enumerate(named.items()):
        chosen = name.rpartition(".")[0] in trained.only if trained.only else index >= first
        tensor.requires_grad_(chosen)
    missing = [name for name in trained.only if not any(key.startswith(f"{name}.") for key in named)]
    if missing:
        raise UsageError(f"this backbone has no {', '.join(missing)}; choose the backbone that the recipe is for")
    if trained.batch_norm != "frozen":
        for module in norms(network.trunk):
            module.requires_grad_(True)


def train_mode(network: PaintingNetwork, trained: FreezingOptions) -> None:
    """Switch to training; the trunk's batch normalisation keeps its statistics unless they are trained, too."""
    network.train()
    for module in norms(network.trunk):
        module.train(trained.statistics)
        if trained.statistics:
            module.momentum = trained.norm_momentum


def parameter_groups(network: PaintingNetwork, rates: Rates) -> list[dict[str, Any]]:
    """Sort what learns by its rate and whether it decays, ready for an optimizer.

    Biases and normalisations do not decay: He et al., "Bag of tricks for image classification", 2019, section 3.1.
    """
    layers = _layers(network.trunk)
    deepest = max(layers.values())
    groups: dict[tuple[float, float], dict[str, Any]] = {}
    for name, tensor in network.named_parameters():
        if not tensor.requires_grad:
            continue
        layer = layers.get(name.removeprefix("trunk.")) if name.startswith("trunk.") else None
        rate = rates.head if layer is None else rates.trunk * rates.layer_decay ** (deepest - layer)
        decay = rates.weight_decay if tensor.ndim > 1 else 0.0
        group = {"params": [], "lr": rate, "peak": rate, "weight_decay": decay}
        groups.setdefault((rate, decay), group)["params"].append(tensor)
    return list(groups.values())


def _layers(trunk: nn.Module) -> dict[str, int]:
    """Number the trunk's blocks, shallow to deep, as timm does, and give the number of each parameter's."""
    matcher: Any = getattr(trunk, "group_matcher", None)
    if matcher is None:
        return {name: 0 for name, _ in trunk.named_parameters()}
    layers: dict[str, int] = group_parameters(trunk, matcher(coarse=False), return_values=False, reverse=True)
    return layers
