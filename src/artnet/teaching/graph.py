"""The head of a model's graph and its backward pass, read and replaced in the ONNX file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artnet.errors import MissingExtraError, ModelError, reason
from artnet.extras import install_command
from artnet.model.engine import INPUTS, STYLES
from artnet.model.logistic_regression import LogisticRegression

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GraphHead:
    """A graph's head: the logits are `(embedding * scale + shift) @ weight + bias`.

    Attributes:
        scale: (E,) of the batch normalisation, folded into one factor
        shift: (E,)
        weight: (E, C)
        bias: (C,)
    """

    scale: Floats
    shift: Floats
    weight: Floats
    bias: Floats

    def features(self, embeddings: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return what the dense layer sees of embeddings (N, E)."""
        return np.asarray(embeddings * self.scale.astype(np.float32) + self.shift.astype(np.float32), np.float32)


def check_installed() -> None:
    """Raise `MissingExtraError` where the package that reads graphs is missing."""
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise MissingExtraError(f"onnx is not installed; install it with: {install_command('teach')}") from None


def read_head(path: Path) -> GraphHead:
    """Read the head of a graph that `artnet export` or `artnet teach` wrote.

    Raises:
        ModelError: for a graph whose head is another
    """
    graph = _load(path).graph
    constants = _constants(graph)
    dense = _dense(graph, constants, path)
    scale, shift = _normalisation(graph, dense.input[0], constants, path)
    return GraphHead(scale, shift, constants[dense.input[1]], constants[dense.input[2]])


def write_with_head(path: Path, head: LogisticRegression, out: Path, styles: bool = False) -> None:
    """Write a graph with another head: the forward pass, and the backward pass that starts from the `target`.

    Args:
        path: graph to start from
        head: on the head's features, not on embeddings; the number of classes is free
        out: file to write
        styles: whether a second head for styles stays

    Raises:
        ModelError: for a graph whose head is another
        OSError: where `out` cannot be written
    """
    import onnx
    from onnx.utils import Extractor

    model = _load(path)
    graph = model.graph
    constants = _constants(graph)
    dense, backward = _dense(graph, constants, path), _backward(graph, constants, path)
    named = {"taught.weight": head.weight, "taught.bias": head.bias, "taught.weight.transposed": head.weight.T}
    stale = [tensor for tensor in graph.initializer if tensor.name in named]  # of a model that was itself taught
    for tensor in stale:
        graph.initializer.remove(tensor)
    for name, values in named.items():
        graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
    dense.input[1], dense.input[2] = "taught.weight", "taught.bias"
    backward.input[0], backward.input[1] = "target", "taught.weight.transposed"
    classes = head.weight.shape[1]
    for port in (*graph.input, *graph.output):
        if port.name in ("target", "logits"):
            port.type.tensor_type.shape.dim[1].dim_value = classes
    outputs = [port.name for port in graph.output if styles or port.name != STYLES]
    pruned = Extractor(model).extract_model(list(INPUTS), outputs)
    onnx.checker.check_model(pruned)
    onnx.save(pruned, out)


def _load(path: Path) -> Any:
    check_installed()
    import onnx
    from google.protobuf.message import DecodeError

    try:
        return onnx.load(path)
    except (OSError, DecodeError) as error:
        raise ModelError(f"{path}: cannot be read as an ONNX graph ({reason(error)}); copy it again") from error


def _constants(graph: Any) -> dict[str, Floats]:
    """Return the vectors and matrices of a graph by name, also of those stored as float16 or int8.

    The kernels of convolutions are not needed here.
    """
    import onnx

    values = {
        tensor.name: onnx.numpy_helper.to_array(tensor).astype(np.float64)
        for tensor in graph.initializer
        if len(tensor.dims) <= 2
    }
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]]
        elif node.op_type == "DequantizeLinear" and node.input[0] in values and len(node.input) == 2:
            stored, scale = values[node.input[0]], values[node.input[1]]
            axis = dict(_attributes(node)).get("axis", 1)
            values[node.output[0]] = stored * (scale if axis == stored.ndim - 1 else scale[:, None])
    return values


def _unknown(path: Path, what: str) -> ModelError:
    return ModelError(
        f"{path}: {what}, so it cannot be taught; start from a model folder that artnet export or artnet teach wrote"
    )


def _dense(graph: Any, constants: Mapping[str, Floats], path: Path) -> Any:
    """Return the node that computes the logits: a Gemm of features, weight (E, C) and bias (C,)."""
    node = next((node for node in graph.node if "logits" in node.output), None)
    plain = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}
    if (
        node is None
        or node.op_type != "Gemm"
        or not set(node.input[1:]) <= constants.keys()
        or len(node.input) != 3
        or any(plain.get(name) != value for name, value in _attributes(node))
    ):
        raise _unknown(path, "its logits are not computed by one dense layer")
    return node


def _normalisation(graph: Any, features: str, constants: dict[str, Floats], path: Path) -> tuple[Floats, Floats]:
    """Return scale and shift (E,) of the batch normalisation between the embedding and the dense layer."""
    node = next((node for node in graph.node if features in node.output), None)
    if node is None or node.op_type != "BatchNormalization" or node.input[0] != "embedding":
        raise _unknown(path, "its dense layer does not follow a batch normalisation of the embedding")
    gamma, beta, mean, variance = (constants[name] for name in node.input[1:5])
    epsilon = dict(_attributes(node)).get("epsilon", 1e-5)
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale


def _backward(graph: Any, constants: Mapping[str, Floats], path: Path) -> Any:
    """Return the node that multiplies the target by the transposed weight.

    Autograd puts a product with the derivative of the sum, which is 1, before it.
    """
    forward = {"target"}
    for node in graph.node:
        if not forward & set(node.input):
            continue
        if node.op_type == "MatMul" and node.input[0] in forward and node.input[1] in constants:
            return node
        if node.op_type != "Mul":
            break
        forward |= set(node.output)
    raise _unknown(path, "its backward pass does not begin with the weight of the dense layer")


def _attributes(node: Any) -> Iterator[tuple[str, Any]]:
    import onnx

    return ((each.name, onnx.helper.get_attribute_value(each)) for each in node.attribute)
