"""Weights in fewer bits: what is stored, how far off it is, and when that is too far."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, helper, numpy_helper

from artnet.errors import ExportError
from artnet.model.openvino import open_core
from artnet.training.export.weight_format import WeightFormat, check_weights, convert_weights, quantise
from fixtures.engine import TinyEngine

WEIGHT = np.random.default_rng(0).standard_normal((40, 30)).astype(np.float32)
VIEWS = np.random.default_rng(1).normal(0, 1, (2, 3, 28, 28)).astype(np.float32)


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """x (4, 40) times WEIGHT, plus a bias."""
    nodes = [helper.make_node("Gemm", ["x", "weight", "bias"], ["y"])]
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", (4, 40)), ("y", (4, 30)))
    ]
    bias = np.ones(30, np.float32)
    initializers = [numpy_helper.from_array(WEIGHT, "weight"), numpy_helper.from_array(bias, "bias")]
    model = helper.make_model(
        helper.make_graph(nodes, "g", ports[:1], ports[1:], initializers),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=9,
    )
    onnx.save(model, tmp_path / "exact.onnx")
    return tmp_path / "exact.onnx"


@pytest.mark.parametrize(("weight_format", "width", "tolerance"), [("f16", 2, 1e-3), ("int8", 1, 1e-2)])
def test_a_converted_graph_computes_nearly_the_same_from_fewer_bytes(
    graph: Path, tmp_path: Path, weight_format: WeightFormat, width: int, tolerance: float
) -> None:
    assert weight_format != "f32"
    convert_weights(graph, tmp_path / "small.onnx", weight_format)
    stored = {each.name: numpy_helper.to_array(each) for each in onnx.load(tmp_path / "small.onnx").graph.initializer}
    assert stored[f"weight.{weight_format}"].nbytes == WEIGHT.size * width
    assert stored["bias"].dtype == np.float32
    inputs = np.random.default_rng(2).standard_normal((4, 40)).astype(np.float32)
    expected, found = (
        open_core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([inputs])[0]
        for path in (graph, tmp_path / "small.onnx")
    )
    assert 0 < np.linalg.norm(found - expected) < tolerance * np.linalg.norm(expected)


def test_each_output_channel_has_a_scale_of_its_own(graph: Path, tmp_path: Path) -> None:
    convert_weights(graph, tmp_path / "small.onnx", "int8")
    stored = {each.name: numpy_helper.to_array(each) for each in onnx.load(tmp_path / "small.onnx").graph.initializer}
    assert stored["weight.scale"] == pytest.approx(np.abs(WEIGHT).max(0) / 127)  # y = x W: columns are outputs


@given(arrays(np.float32, (3, 4), elements=st.floats(-1e3, 1e3, width=32)), st.sampled_from([0, 1]))
def test_no_value_is_off_by_more_than_half_a_scale(values: np.ndarray, axis: int) -> None:
    quantised, scales = quantise(values, axis)
    steps = np.expand_dims(scales, 1 - axis)
    assert (np.abs(quantised * steps - values) <= 0.501 * steps).all()


def test_an_unchanged_graph_has_no_error() -> None:
    error = check_weights(TinyEngine(), TinyEngine(), VIEWS)
    assert error.score == 0
    assert error.correlation == pytest.approx(1)


def test_weights_that_change_the_answer_are_refused() -> None:
    with pytest.raises(
        ExportError, match=r"weights of this format change a score by .* use --weight-format f16 or f32"
    ):
        check_weights(TinyEngine(), TinyEngine(seed=1), VIEWS)
