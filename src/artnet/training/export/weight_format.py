"""Weights stored in fewer bits than float32, in which the graph goes on to compute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from artnet.errors import ExportError
from artnet.metrics.classification import softmax
from artnet.model.config import DEPTHS
from artnet.model.engine import Engine

Floats = NDArray[np.float32]
WeightFormat = Literal["f32", "f16", "int8"]

MAX_SCORE_ERROR = 0.01
MIN_CORRELATION = 0.98  # of heatmaps
_MIN_SIZE = 1024  # of the matrices and kernels that are converted; smaller ones are a percent of a file at most


def convert_weights(source: Path, out: Path, weight_format: Literal["f16", "int8"]) -> None:
    """Write an ONNX file with its matrices and kernels stored in another format.

    With `f16` each is cast to float32 by the graph. With `int8` each output channel has a scale, its largest absolute
    weight divided by 127, and DequantizeLinear multiplies by it. Biases, normalisations and embeddings stay float32.
    """
    model = onnx.load(source)
    graph, restoring = model.graph, []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim not in (2, 4) or values.size < _MIN_SIZE:
            continue
        if weight_format == "f16":
            stored, node = _as_float16(tensor.name, values)
        else:
            stored, node = _as_int8(tensor.name, values, _output_axis(graph, tensor.name))
        graph.initializer.remove(tensor)
        graph.initializer.extend(stored)
        restoring.append(node)
    nodes = [*restoring, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, out)


@dataclass(frozen=True)
class WeightError:
    """What a weight format changes: the largest difference of a score, the lowest correlation of a depth's heatmaps."""

    score: float
    correlation: float


def check_weights(exact: Engine, converted: Engine, views: Floats) -> WeightError:
    """Compare two engines of one graph, before and after `convert_weights`.

    Args:
        exact: with float32 weights
        converted: with others
        views: normalised, (N, 3, S, S); HiResCAM's maps, with their sign, are compared over all of them together

    Raises:
        ExportError: where scores or heatmaps differ by more than the format may cost
    """
    names = ["logits", *(f"{kind}_{depth}" for depth in range(1, DEPTHS + 1) for kind in ("activation", "gradient"))]
    logits = exact.run(views, None, ["logits"])["logits"]
    target = np.eye(exact.classes, dtype=np.float32)[logits.argmax(1)]
    before, after = (engine.run(views, target, names) for engine in (exact, converted))
    score = float(np.abs(softmax(before["logits"], 1.0) - softmax(after["logits"], 1.0)).max())
    correlations = []
    for depth in range(1, DEPTHS + 1):
        maps = [(each[f"activation_{depth}"] * each[f"gradient_{depth}"]).sum(1).ravel() for each in (before, after)]
        correlations.append(float(np.corrcoef(maps)[0, 1]))
    error = WeightError(score, min(correlations))
    if not (error.score <= MAX_SCORE_ERROR and error.correlation >= MIN_CORRELATION):  # also refuses NaN
        raise ExportError(
            f"weights of this format change a score by {error.score:.3f} (at most {MAX_SCORE_ERROR} is allowed) and "
            f"heatmaps to a correlation of {error.correlation:.3f} (at least {MIN_CORRELATION}); use --weight-format "
            "f16 or f32"
        )
    return error


def quantise(values: Floats, axis: int) -> tuple[NDArray[np.int8], Floats]:
    """Return int8 values and the scale of each index along an axis; a product differs by half a scale at most.

    >>> quantise(np.array([[127, -64.4], [0, 0]], np.float32), 0)
    (array([[127, -64],
           [  0,   0]], dtype=int8), array([1., 1.], dtype=float32))
    """
    others = tuple(each for each in range(values.ndim) if each != axis)
    scales = np.abs(values).max(others, keepdims=True) / np.float32(127)
    scales[scales < np.finfo(np.float32).tiny] = 1  # nothing but zeros, or what float32 cannot divide by
    return np.rint(values / scales).astype(np.int8), scales.ravel()


def _as_float16(name: str, values: Floats) -> tuple[list[TensorProto], NodeProto]:
    stored = numpy_helper.from_array(values.astype(np.float16), f"{name}.f16")
    return [stored], helper.make_node("Cast", [stored.name], [name], to=TensorProto.FLOAT)


def _as_int8(name: str, values: Floats, axis: int) -> tuple[list[TensorProto], NodeProto]:
    quantised, scales = quantise(values, axis)
    stored = [numpy_helper.from_array(quantised, f"{name}.int8"), numpy_helper.from_array(scales, f"{name}.scale")]
    inputs = [tensor.name for tensor in stored]
    return stored, helper.make_node("DequantizeLinear", inputs, [name], axis=axis)


def _output_axis(graph: GraphProto, name: str) -> int:
    """Return the axis of a weight's output channels: the last where the forward pass multiplies by it as it is."""
    first = next(node for node in graph.node if name in node.input)
    transposed = any(attribute.name == "transB" and attribute.i for attribute in first.attribute)
    return 1 if first.op_type in ("Gemm", "MatMul") and not transposed else 0
