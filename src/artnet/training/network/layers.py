"""The layers that are explained: their names, and their activations of any layout as grids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from artnet.errors import UsageError
from artnet.model.config import DEPTHS
from artnet.training.network.network import BACKBONES, Backbone, PaintingNetwork
from artnet.training.network.pooling import to_grid

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
_LAYERS = (nn.Conv2d, nn.Linear)


def explained_layers(network: PaintingNetwork, backbone: str, size_px: int) -> tuple[str, ...]:
    """Return the names of the nine modules whose activations are explained, shallow to deep.

    For DenseNet-121 these are the 2020 project's. For any other backbone they are eight of its blocks, evenly spaced
    in the order in which they run, and the backbone's output. A transformer's patch embedding counts as its first
    block. Where the embedding does not depend on an output's cells (those of a transformer's last block, if only its
    class token is used), the layer before it is the last. Where blocks are too few, what they normalise between
    attention and MLP is counted, too, and in convolutional backbones the convolutions.

    Raises:
        UsageError: for a backbone of too few blocks
    """
    named, present = BACKBONES.get(backbone.partition(".")[0], Backbone()).layers, dict(network.named_modules())
    if named and all(name in present for name in named):  # not so where later blocks were dropped
        return named
    blocks = _blocks(network.trunk)
    found = _used_grids(network, [*blocks, "features"], size_px)
    if len(found) < DEPTHS:
        found = _used_grids(network, [*blocks, *_parts(network.trunk, blocks), "features"], size_px)
    if len(found) < DEPTHS:
        raise UsageError(
            f"backbone {backbone!r} has only {len(found)} layers to explain, {DEPTHS} are needed; choose a deeper one "
            "or keep more of its blocks (--set last_block=-1)"
        )
    *others, deepest = found
    last = len(others) - 1
    chosen = [others[round(index * last / (DEPTHS - 2))] for index in range(DEPTHS - 1)]
    return (*chosen, deepest)


def forward_with_outputs(
    network: PaintingNetwork, names: Sequence[str], views: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the embedding of views, and the outputs of those of the named modules that ran, as they finished."""
    outputs: dict[str, Tensor] = {}

    def record(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                outputs[name] = output

        return hook

    handles = [network.get_submodule(name).register_forward_hook(record(name)) for name in names]
    try:
        return network.embed(views), outputs
    finally:
        for handle in handles:
            handle.remove()


def _used_grids(network: PaintingNetwork, names: Sequence[str], size_px: int) -> list[str]:
    """Return those modules whose output is a grid of several cells on which the embedding depends, as they finish.

    Of modules that return one and the same tensor, as a stage and its last block, the outer one is kept.
    """
    was_training = network.training
    try:
        network.eval()
        # With noise no gradient vanishes by chance, as it does where a black view silences all ReLUs.
        views = torch.randn(1, 3, size_px, size_px, generator=torch.Generator().manual_seed(0)).requires_grad_()
        embedding, outputs = forward_with_outputs(network, names, views)
        grids = {name: output for name, output in outputs.items() if _is_grid(output, network.trunk)}
        gradients = torch.autograd.grad(embedding.square().sum(), list(grids.values()), allow_unused=True)
    finally:
        network.train(was_training)
    used: dict[int, str] = {}
    for (name, output), gradient in zip(grids.items(), gradients, strict=True):
        if gradient is not None and bool(to_grid(gradient, network.trunk).any()):
            used[0 if name == "features" else id(output)] = name
    return list(used.values())


def _is_grid(output: Tensor, trunk: nn.Module) -> bool:
    try:
        return to_grid(output, trunk).shape[-1] > 1
    except ValueError:
        return False


def _blocks(trunk: nn.Module) -> list[str]:
    """Return a transformer's patch embedding, and what containers hold that has weights and is no single layer."""
    blocks = []
    for name, module in trunk.named_modules(prefix="trunk"):
        if name == "trunk.patch_embed":
            blocks.append(name)
        for child_name, child in module.named_children() if isinstance(module, _CONTAINERS) else ():
            has_weights = any(isinstance(layer, _LAYERS) for layer in child.modules())
            if has_weights and not isinstance(child, (*_CONTAINERS, *_LAYERS)):
                blocks.append(f"{name}.{child_name}")
    return blocks


def _parts(trunk: nn.Module, blocks: Sequence[str]) -> list[str]:
    """Return what a transformer's blocks normalise between attention and MLP; of other trunks, the convolutions."""
    modules = dict(trunk.named_modules(prefix="trunk"))
    middles = [f"{block}.norm2" for block in blocks if f"{block}.norm2" in modules]
    return middles or [name for name, module in modules.items() if isinstance(module, nn.Conv2d)]
