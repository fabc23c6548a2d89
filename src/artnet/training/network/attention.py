"""What a transformer's attention says of the patches: rollout weighted by gradients, and LeGrad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from artnet.training.network.layers import forward_with_outputs
from artnet.training.network.network import PaintingNetwork
from artnet.training.network.pooling import pool, to_grid


@dataclass(frozen=True)
class AttentionLayer:
    """The names of a module whose output is attention (N, heads, T, T) among all tokens, and of the block around it."""

    name: str
    block: str


def attention_layers(network: PaintingNetwork, size_px: int) -> tuple[AttentionLayer, ...]:
    """Return a plain transformer's attention, block by block; none where it is in windows, of channels or absent."""
    # timm applies dropout to attention after its softmax, in a module of its own, even where the rate is 0.
    layers = [
        AttentionLayer(name, name.partition(".attn")[0])
        for name, _ in network.named_modules()
        if name.startswith("trunk.blocks.") and name.endswith(".attn.attn_drop")
    ]
    with torch.no_grad():
        names = [*(layer.name for layer in layers), "features"]
        _, outputs = forward_with_outputs(network, names, torch.zeros(1, 3, size_px, size_px))
    tokens = int(outputs["features"].shape[1])
    shapes = [tuple(outputs[layer.name].shape[2:]) if layer.name in outputs else () for layer in layers]
    return tuple(layers) if all(shape == (tokens, tokens) for shape in shapes) else ()


def add_rollout(relevance: Tensor | None, attention: Tensor, gradient: Tensor) -> Tensor:
    """Return the relevance of tokens to one another after a further block, without each token's own to itself.

    Chefer et al., "Generic attention-model explainability for interpreting bi-modal and encoder-decoder transformers",
    2021, https://arxiv.org/abs/2103.15679, equations 5 and 6: R becomes R + E_h(ReLU(gradient * A)) R, from R = I. The
    identity says nothing of other tokens and is left out: this is R - I.

    Args:
        relevance: (N, T, T) after the blocks before; None for none
        attention: A, (N, heads, T, T)
        gradient: of the target with respect to A
    """
    weighted = (gradient * attention).clamp_min(0).mean(1)  # (N, T, T)
    return weighted if relevance is None else relevance + weighted @ relevance + weighted


def legrad(gradient: Tensor) -> Tensor:
    """Return what one block's attention says of each token, (N, T).

    Bousselham et al., "LeGrad: an explainability method for vision transformers via feature formation sensitivity",
    2024, https://arxiv.org/abs/2404.03214, section 3: the mean over heads and query tokens of ReLU(gradient), where the
    gradient (N, heads, T, T) is that of the target computed from this block's own output.
    """
    return gradient.clamp_min(0).mean((1, 2))


@dataclass(frozen=True)
class Differentiated:
    """A forward pass: the outputs of modules by name as they finished, and the target's gradients of some of them."""

    target: Tensor  # (N, C)
    outputs: Mapping[str, Tensor]
    gradients: Mapping[str, Tensor]


def attention_maps(
    network: PaintingNetwork, layers: Sequence[str], attentions: Sequence[AttentionLayer], computed: Differentiated
) -> list[Tensor]:
    """Return for each explained layer the rollout and the LeGrad map of all blocks before it, each (N, h, w).

    The maps of the deepest layer are those of the papers; before the first block they are zero.

    Args:
        network: in evaluation mode
        layers: the explained layers' names
        attentions: of `attention_layers`
        computed: with the outputs of layers, attentions and their blocks, and the gradients of the attentions
    """
    blocks = {attention.name: attention.block for attention in attentions}
    total = computed.outputs[attentions[0].name].sum((1, 2)) * 0  # (N, T)
    relevance, maps = None, {}
    for name, output in computed.outputs.items():
        if name in blocks:
            relevance = add_rollout(relevance, output, computed.gradients[name])
            total = total + legrad(_own_gradient(network, output, computed.outputs[blocks[name]], computed.target))
        elif name in layers:
            maps[name] = (relevance, total)
    maps[layers[-1]] = (relevance, total)  # of the last block, too, where the deepest layer is before it
    grids = []
    for name in layers:
        relevance, total = maps[name]
        rollout = total * 0 if relevance is None else _pooled_row(network, relevance)
        grids += [_fold(network, rollout), _fold(network, total)]
    return grids


def _own_gradient(network: PaintingNetwork, attention: Tensor, tokens: Tensor, target: Tensor) -> Tensor:
    """Return the gradient, with respect to a block's attention, of the target computed from the block's own tokens."""
    trunk: Any = network.trunk
    logits = network.classify(pool(trunk.norm(tokens), trunk, network.pooling)).movements
    (gradient,) = torch.autograd.grad((logits * target).sum(), attention, retain_graph=True)
    return gradient


def _pooled_row(network: PaintingNetwork, relevance: Tensor) -> Tensor:
    """Return the relevance (N, T) of tokens to those that the embedding is made of, as it weighs them."""
    pooling = network.pooling
    if pooling == "own":
        pooling = "cls" if getattr(network.trunk, "global_pool", "") == "token" else "mean"
    rows = pool(relevance, network.trunk, pooling)  # (N, T), or (N, 2 T) of both
    return rows.reshape(rows.shape[0], -1, relevance.shape[-1]).mean(1)


def _fold(network: PaintingNetwork, tokens: Tensor) -> Tensor:  # (N, T) -> (N, h, w)
    return to_grid(tokens[:, :, None], network.trunk)[:, 0]
