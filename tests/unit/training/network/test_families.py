"""Activations and gradients of every family of backbones as grids, against plain autograd."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from artnet.model.engine import output_names
from artnet.training.export.onnx_graph import activation_shapes, forward_and_backward
from artnet.training.network.layers import explained_layers
from fixtures.families import FAMILIES, tiny_network


def _folded(output: Tensor, family: str) -> Tensor:
    """Write down the families' layouts once more."""
    if output.dim() == 4:  # (N, h, w, C) from all of Swin's modules, and from DINOv3's patch embedding
        return output.permute(0, 3, 1, 2) if family in ("swin", "dinov3") else output
    patches = output if family == "swin" else output[:, output.shape[1] - 16 :]  # of 4 x 4, after the prefix tokens
    side = math.isqrt(patches.shape[1])
    return patches.transpose(1, 2).reshape(len(output), -1, side, side)


@pytest.mark.parametrize("family", FAMILIES)
def test_grids_are_those_of_autograd_whatever_the_layout(family: str) -> None:
    network, size_px = tiny_network(FAMILIES[family]), FAMILIES[family].size_px
    layers = explained_layers(network, FAMILIES[family].backbone, size_px)
    assert len(set(layers)) == 9
    channels = sum(shape[0] for shape in activation_shapes(network, layers, size_px))
    views, target = torch.randn(2, 3, size_px, size_px), torch.eye(5)[:2]
    results = forward_and_backward(network, layers, size_px)(views, target, torch.zeros(2, channels))
    found = dict(zip(output_names(attention=len(results) > 22), results, strict=True))
    kept: dict[str, Any] = {}
    for name in layers:
        network.get_submodule(name).register_forward_hook(
            lambda module, args, output, name=name: kept.update({name: output})
        )
    logits = network(views.requires_grad_()).movements
    gradients = torch.autograd.grad((logits * target).sum(), [kept[name] for name in layers])
    for depth, (name, gradient) in enumerate(zip(layers, gradients, strict=True), start=1):
        torch.testing.assert_close(found[f"activation_{depth}"], _folded(kept[name], family).detach())
        torch.testing.assert_close(found[f"gradient_{depth}"], _folded(gradient, family))
        assert found[f"gradient_{depth}"].any()


def test_no_prefix_token_is_in_a_grid() -> None:
    for name in ("vit", "deit", "dinov2", "dinov3", "eva", "clip", "siglip"):
        network = tiny_network(FAMILIES[name])
        layers = explained_layers(network, FAMILIES[name].backbone, 32)
        assert set(activation_shapes(network, layers, 32)) == {(24, 4, 4)}, name
