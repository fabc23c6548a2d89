"""Which tensors of a network are trained, and at what rate."""

from __future__ import annotations

from typing import Any

from timm.models import group_parameters
from torch import nn

from artnet.errors import UsageError
from artnet.training.network.network import PaintingNetwork, batch_norms
from artnet.training.recipe import FreezingOptions, Rates


def freeze(network: PaintingNetwork, options: FreezingOptions) -> None:
    """Freeze the tensors of the trunk that the options name, and unfreeze all others.

    Raises:
        UsageError: for a module that this trunk does not have
    """
    network.requires_grad_(True)
    parameters = dict(network.trunk.named_parameters())
    first = round(options.frozen_share * len(parameters))
    modules = options.trained_modules
    for index, (name, tensor) in enumerate(parameters.items()):
        tensor.requires_grad_(name.rpartition(".")[0] in modules if modules else index >= first)
    missing = [name for name in modules if not any(key.startswith(f"{name}.") for key in parameters)]
    if missing:
        raise UsageError(f"this backbone has no {', '.join(missing)}; choose the backbone that the recipe is for")
    if options.batch_norm != "frozen":
        for module in batch_norms(network.trunk):
            module.requires_grad_(True)


def set_train_mode(network: PaintingNetwork, options: FreezingOptions) -> None:
    """Switch to train mode, except the trunk's batch normalisations unless their statistics are trained."""
    network.train()
    for module in batch_norms(network.trunk):
        module.train(options.trains_statistics)
        if options.trains_statistics:
            module.momentum = options.norm_momentum


def parameter_groups(network: PaintingNetwork, rates: Rates) -> list[dict[str, Any]]:
    """Return the trained tensors as an optimizer's groups, by learning rate and weight decay.

    Biases and normalisations do not decay: He et al., "Bag of tricks for image classification", 2019, section 3.1.
    Neither does what timm excludes for the trunk, such as the position embedding of a transformer.
    """
    trunk: Any = network.trunk
    undecayed = {f"trunk.{name}" for name in trunk.no_weight_decay()} if hasattr(trunk, "no_weight_decay") else set()
    depths = _block_depths(network.trunk)
    deepest = max(depths.values())
    groups: dict[tuple[float, float], dict[str, Any]] = {}
    for name, tensor in network.named_parameters():
        if not tensor.requires_grad:
            continue
        depth = depths.get(name.removeprefix("trunk.")) if name.startswith("trunk.") else None
        rate = rates.head if depth is None else rates.trunk * rates.layer_decay ** (deepest - depth)
        decay = rates.weight_decay if tensor.ndim > 1 and name not in undecayed else 0.0
        group = {"params": [], "lr": rate, "peak": rate, "weight_decay": decay}
        groups.setdefault((rate, decay), group)["params"].append(tensor)
    return list(groups.values())


def _block_depths(trunk: nn.Module) -> dict[str, int]:
    """Return the number of each parameter's block, counted by timm from the input."""
    matcher: Any = getattr(trunk, "group_matcher", None)
    if matcher is None:
        return {name: 0 for name, _ in trunk.named_parameters()}
    depths: dict[str, int] = group_parameters(trunk, matcher(coarse=False), return_values=False, reverse=True)
    return depths
