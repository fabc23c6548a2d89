"""A network and its backward pass as one ONNX graph, checked against autograd.

The graph's inputs are views (N, 3, S, S), target (N, C) and mixture (N, M), where M counts the channels of all nine
layers. Its outputs are logits and embedding; for each layer activation_k and gradient_k, the derivative of
sum(logits * target) with respect to that activation; gradient_views, the same with respect to the views;
gradient_channels, the derivative with respect to the views of sum(mixture * channels), where a channel is the mean of
its activation; where the network has a second head, styles, its logits; and, where attention is among all tokens, for
each layer rollout_k and legrad_k, the maps (N, h, w) of `network.attention`. No weight is stored twice.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnxscript import ir, optimizer
from torch import Tensor, nn
from torch._decomp import core_aten_decompositions
from torch.fx.experimental.proxy_tensor import make_fx

from artnet.errors import ExportError
from artnet.model.engine import DIFFERENTIATED, INPUTS, output_names
from artnet.model.openvino import OpenVinoEngine
from artnet.training.network.attention import Differentiated, attention_layers, attention_maps
from artnet.training.network.layers import forward_with_outputs
from artnet.training.network.network import PaintingNetwork
from artnet.training.network.pooling import to_grid

Floats = NDArray[np.float32]

FORWARD_TOLERANCE = 1e-4  # of both heads' logits and of activations, in relative L2 norm
# Rounding may flip a ReLU whose input is nearly 0. A deep gradient passes some ten thousand, so one is 1 % of its norm.
GRADIENT_TOLERANCE = 3e-2
# Tracing fuses the batch with any dimension of the same size, and nothing in a network is seven wide.
_TRACED_BATCH = 7


@dataclass(frozen=True)
class Agreement:
    """Largest relative L2 distances between the exported graph and autograd."""

    forward: float
    gradient: float
    images: int


def write_graph(network: PaintingNetwork, layers: Sequence[str], size_px: int, path: Path) -> None:
    """Write a network with its backward pass for the named layers as one ONNX file."""
    views = torch.randn(_TRACED_BATCH, 3, size_px, size_px)
    target = torch.randn(_TRACED_BATCH, network.dense.out_features)
    mixture = torch.randn(_TRACED_BATCH, sum(channel_counts(network, layers, size_px)))
    inputs, batch = (views, target, mixture), {0: torch.export.Dim.DYNAMIC}
    with _quiet():
        traced = make_fx(
            forward_and_backward(network, layers, size_px),
            decomposition_table=_decompositions(),
            tracing_mode="symbolic",
            _allow_non_fake_inputs=True,
        )(*inputs)
        program = torch.export.export(traced, inputs, dynamic_shapes=(batch, batch, batch))
        outputs = graph_outputs(network, size_px)
        onnx_program = torch.onnx.export(
            program, input_names=list(INPUTS), output_names=outputs, dynamo=True, optimize=False
        )
        if onnx_program is None:
            raise ExportError("torch.onnx.export returned no program")
        _simplify(onnx_program.model)
        onnx_program.save(path)


def _simplify(model: ir.Model) -> None:
    """Fold constants and compute nothing twice, in place: what the exporter's `optimize` does but for its rewriting.

    The time that its rewriting takes grows with the square of the number of nodes, to half of a transformer's export,
    and runtimes rewrite the graph in their own way when they compile it.
    """
    optimizer.fold_constants(model)
    passes = ir.passes.common
    ir.passes.Sequential(
        passes.RemoveUnusedNodesPass(),
        passes.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        passes.DeduplicateInitializersPass(),
        passes.CommonSubexpressionEliminationPass(),
        passes.NameFixPass(),
    )(model)


def graph_outputs(network: PaintingNetwork, size_px: int) -> list[str]:
    """Return the names of the outputs of a network's graph."""
    return output_names(network.styles is not None, bool(attention_layers(network, size_px)))


def write_trunk(network: PaintingNetwork, size_px: int, path: Path) -> None:
    """Write the trunk alone as an ONNX file, from views (1, 3, S, S) to embedding (1, E)."""
    was_training = network.training
    try:
        network.eval()
        with _quiet():
            program = torch.export.export(_Embedder(network), (torch.randn(1, 3, size_px, size_px),))
            torch.onnx.export(program, (), path, input_names=["views"], output_names=["embedding"], dynamo=True)
    finally:
        network.train(was_training)


class _Embedder(nn.Module):
    def __init__(self, network: PaintingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, views: Tensor) -> Tensor:
        return self.network.embed(views)


def check_graph(network: PaintingNetwork, layers: Sequence[str], path: Path, inputs: Sequence[Floats]) -> Agreement:
    """Compare a graph with autograd.

    Args:
        network: what the graph was written from
        layers: the explained layers' names
        path: the graph
        inputs: sets of normalised views (N, 3, S, S); each output is compared over each set as a whole

    Raises:
        ExportError: where an output differs by more than its tolerance
    """
    engine = OpenVinoEngine(path, precision="f32", cached=False)
    size_px = inputs[0].shape[-1]
    reference, names = forward_and_backward(network, layers, size_px), graph_outputs(network, size_px)
    largest = {"forward": 0.0, "gradient": 0.0}
    for views in inputs:
        target = np.eye(network.dense.out_features, dtype=np.float32)
        target = target[np.arange(len(views)) % len(target)]
        mixture = random_mixture(sum(channel_counts(network, layers, size_px)), len(views))
        expected = reference(*(torch.from_numpy(values) for values in (views, target, mixture)))
        outputs = engine.run(views, target, names, mixture)
        for name, tensor in zip(names, expected, strict=True):
            kind = "gradient" if name.startswith(DIFFERENTIATED) else "forward"
            distance = relative_distance(outputs[name], tensor.numpy())
            largest[kind] = max(largest[kind], distance)
            _check_distance(distance, GRADIENT_TOLERANCE if kind == "gradient" else FORWARD_TOLERANCE, name)
    return Agreement(largest["forward"], largest["gradient"], sum(len(views) for views in inputs))


def _check_distance(distance: float, tolerance: float, name: str) -> None:
    if not distance <= tolerance:  # also refuses NaN
        raise ExportError(
            f"the exported graph does not compute what its network computes: {name} differs by {distance:.1e} "
            f"(relative L2), the tolerance is {tolerance:.0e}"
        )


def relative_distance(actual: Floats, expected: Floats) -> float:
    """Return the L2 norm of the difference, divided by that of the expected values unless that is 0.

    >>> round(relative_distance(np.array([3.0, 5.0]), np.array([3.0, 4.0])), 6)
    0.2
    """
    difference = float(np.linalg.norm((actual - expected).ravel()))
    norm = float(np.linalg.norm(expected.ravel()))
    return difference / norm if norm > 0 else difference


def random_views(size_px: int, count: int = 2) -> Floats:
    """Return views (N, 3, S, S) of Gaussian noise, the same in every call."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((count, 3, size_px, size_px)).astype(np.float32)


def random_mixture(channels: int, count: int) -> Floats:
    """Return random weights of channels (N, M), the same in every call."""
    return np.random.default_rng(1).standard_normal((count, channels)).astype(np.float32)


def forward_and_backward(
    network: PaintingNetwork, layers: Sequence[str], size_px: int
) -> Callable[[Tensor, Tensor, Tensor], tuple[Tensor, ...]]:
    """Return the function from views, target and mixture to the outputs that the graph computes, in autograd."""
    attentions = attention_layers(network, size_px)
    names = {*layers, *(attention.name for attention in attentions), *(attention.block for attention in attentions)}

    def run(views: Tensor, target: Tensor, mixture: Tensor) -> tuple[Tensor, ...]:
        inputs = views.detach().requires_grad_(True)
        embedding, outputs = forward_with_outputs(network, sorted(names), inputs)
        logits, styles = network.classify(embedding)
        explained = [*layers, *(attention.name for attention in attentions)]
        *toward, toward_views = torch.autograd.grad(
            (logits * target).sum(), [*(outputs[name] for name in explained), inputs], retain_graph=True
        )
        gradients = dict(zip(explained, toward, strict=True))
        activations = [to_grid(outputs[name], network.trunk) for name in layers]
        channels = torch.cat([activation.mean((2, 3)) for activation in activations], dim=1)  # (N, M)
        (toward_channels,) = torch.autograd.grad((channels * mixture).sum(), inputs, retain_graph=True)
        results = [logits, embedding]
        for name, activation in zip(layers, activations, strict=True):
            results += [activation, to_grid(gradients[name], network.trunk)]
        results += [toward_views, toward_channels, *([] if styles is None else [styles])]
        if attentions:
            results += attention_maps(network, layers, attentions, Differentiated(target, outputs, gradients))
        return tuple(tensor.detach() for tensor in results)

    return run


def channel_counts(network: PaintingNetwork, layers: Sequence[str], size_px: int) -> list[int]:
    """Return the number of channels of each explained layer."""
    return [shape[0] for shape in activation_shapes(network, layers, size_px)]


def activation_shapes(network: PaintingNetwork, layers: Sequence[str], size_px: int) -> list[tuple[int, int, int]]:
    """Return channels, rows and columns of each explained layer's activation."""
    with torch.no_grad():
        _, outputs = forward_with_outputs(network, layers, torch.zeros(1, 3, size_px, size_px))
        shapes = [to_grid(outputs[name], network.trunk).shape for name in layers]
    return [(int(channels), int(rows), int(columns)) for _, channels, rows, columns in shapes]


def _decompositions() -> dict[Any, Callable[..., Any]]:
    """Return torch's decompositions and those of the backward passes that ONNX has no operator for."""
    aten = torch.ops.aten
    return {
        **core_aten_decompositions(),
        aten.convolution_backward.default: convolution_backward,
        aten.avg_pool2d_backward.default: avg_pool2d_backward,
    }


def convolution_backward(
    gradient: Tensor,
    inputs: Tensor,
    weight: Tensor,
    bias_sizes: Any,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    output_padding: list[int],
    groups: int,
    output_mask: list[bool],
) -> tuple[Tensor | None, None, None]:
    """Return the gradient of a convolution's input as a transposed convolution; the weights are constants here.

    The parameters are those of `aten::convolution_backward`.
    """
    if transposed:
        raise ExportError("a backbone with transposed convolutions cannot be exported")
    if not output_mask[0]:
        return None, None, None
    extra = [
        inputs.shape[2 + axis]
        - (gradient.shape[2 + axis] - 1) * stride[axis]
        + 2 * padding[axis]
        - dilation[axis] * (weight.shape[2 + axis] - 1)
        - 1
        for axis in range(2)
    ]
    result = torch.ops.aten.convolution(gradient, weight, None, stride, padding, dilation, True, extra, groups)
    return result, None, None


def avg_pool2d_backward(
    gradient: Tensor,
    inputs: Tensor,
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None,
) -> Tensor:
    """Return the gradient of average pooling as a transposed depth-wise convolution with a constant kernel.

    The parameters are those of `aten::avg_pool2d_backward`.
    """
    kernel, steps, pads = (sides * 2 if len(sides) == 1 else sides for sides in (kernel, stride or kernel, padding))
    covered = [(gradient.shape[2 + axis] - 1) * steps[axis] + kernel[axis] - 2 * pads[axis] for axis in range(2)]
    overhangs = ceil_mode and any(side > inputs.shape[2 + axis] for axis, side in enumerate(covered))
    if overhangs or (any(padding) and not count_include_pad):
        raise ExportError(
            "a backbone whose average pooling has windows that are partly outside cannot be exported; with views of "
            "another size they may fit"
        )
    channels = inputs.shape[1]
    weight = gradient.new_full((channels, 1, *kernel), 1 / (divisor or kernel[0] * kernel[1]))
    result, _, _ = convolution_backward(
        gradient, inputs, weight, None, steps, pads, [1, 1], False, [0, 0], channels, [True]
    )
    if result is None:
        raise ExportError("average pooling has no gradient to its input")
    return result


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's progress lines and warnings."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
