"""Rollout and LeGrad on attention of two tokens, worked by hand, and on a tiny transformer, by their formulas."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from artnet.training.export.onnx_graph import channel_counts, forward_and_backward, graph_outputs
from artnet.training.network.attention import add_rollout, attention_layers, legrad
from artnet.training.network.layers import explained_layers
from fixtures.families import FAMILIES, tiny_network


def test_a_rollout_worked_by_hand() -> None:
    # ReLU(gradient * A) is ((1, 0), (1, 0)) and ((0, 2), (0, 1)); R = I + the first = ((2, 0), (1, 1)), then
    # R + ((0, 2), (0, 1)) R = ((4, 2), (2, 2)).
    first = add_rollout(None, torch.tensor([[[[0.5, 0.5], [0.25, 0.75]]]]), torch.tensor([[[[2.0, -1.0], [4.0, 0.0]]]]))
    assert first.tolist() == [[[1, 0], [1, 0]]]
    second = add_rollout(first, torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]]), torch.tensor([[[[5.0, 2.0], [3.0, 1.0]]]]))
    assert (second + torch.eye(2)).tolist() == [[[4, 2], [2, 2]]]


def test_heads_are_averaged_after_what_is_negative_is_cut_off() -> None:
    attention, gradient = torch.ones(1, 2, 1, 1), torch.tensor([[[[3.0]], [[-9.0]]]])
    assert add_rollout(None, attention, gradient).tolist() == [[[1.5]]]


def test_legrad_worked_by_hand() -> None:
    gradient = torch.tensor([[[[1.0, -1.0], [3.0, 0.0]], [[0.0, 2.0], [-4.0, 2.0]]]])  # two heads, two tokens
    assert legrad(gradient).tolist() == [[1.0, 1.0]]  # (1 + 3) / 4 and (2 + 2) / 4


@pytest.mark.parametrize("family", ["swin", "convnext", "maxvit", "fastvit"])
def test_windows_and_convolutions_have_no_attention_among_all_tokens(family: str) -> None:
    assert attention_layers(tiny_network(FAMILIES[family]), FAMILIES[family].size_px) == ()


@pytest.mark.parametrize("family", ["vit", "deit", "dinov2", "dinov3", "eva", "clip", "siglip"])
def test_a_plain_transformer_has_attention_in_every_block(family: str) -> None:
    found = attention_layers(tiny_network(FAMILIES[family]), 32)
    blocks = [f"trunk.blocks.{index}" for index in range(FAMILIES[family].sizes["depth"])]
    assert [layer.block for layer in found] == blocks


def test_the_deepest_maps_are_the_papers() -> None:
    network = tiny_network(FAMILIES["clip"])  # which pools the class token
    layers, target, views = explained_layers(network, "clip", 32), torch.eye(5)[1:2], torch.randn(1, 3, 32, 32)
    mixture = torch.zeros(1, sum(channel_counts(network, layers, 32)))
    results = forward_and_backward(network, layers, 32)(views, target, mixture)
    found = dict(zip(graph_outputs(network, 32), results, strict=True))
    kept: dict[str, Tensor] = {}
    for index in range(5):
        for name in (f"trunk.blocks.{index}.attn.attn_drop", f"trunk.blocks.{index}"):
            network.get_submodule(name).register_forward_hook(
                lambda module, args, output, name=name: kept.update({name: output})
            )
    logits = network(views.requires_grad_()).movements
    relevance, total = torch.eye(17), torch.zeros(17)
    for index in range(5):
        attention, tokens = kept[f"trunk.blocks.{index}.attn.attn_drop"], kept[f"trunk.blocks.{index}"]
        (gradient,) = torch.autograd.grad(logits[0, 1], attention, retain_graph=True)
        own = network.classify(network.trunk.norm(tokens)[:, 0]).movements[0, 1]  # type: ignore[operator]
        relevance = relevance + (gradient * attention).relu().mean(1)[0] @ relevance
        total = total + torch.autograd.grad(own, attention, retain_graph=True)[0].relu().mean((1, 2))[0]
    torch.testing.assert_close(found["rollout_9"].flatten(), relevance[0, 1:].detach())
    torch.testing.assert_close(found["legrad_9"].flatten(), total[1:].detach())
    assert not found["rollout_1"].any()  # of the patch embedding, before any attention
