"""The graph on OpenVINO gives the same bits each time, and says what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from artnet.errors import ModelError, UsageError
from artnet.model.config import GRAPH_FILE, default_model
from artnet.model.openvino import OpenVinoEngine, cache_folder, compile_config, open_core, separate_square_weights

GRAPH = default_model() / GRAPH_FILE


def test_a_view_gives_the_same_bits_alone_and_among_others(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    together = openvino.run(views, None, ["logits"])["logits"]
    alone = openvino.run(views[1:], None, ["logits"])["logits"]
    assert (together[1] == alone[0]).all()


def test_a_second_engine_gives_the_same_bits(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    again = OpenVinoEngine(GRAPH, "f32").run(views, None, ["logits"])["logits"]
    assert (openvino.run(views, None, ["logits"])["logits"] == again).all()


def test_compiled_graphs_are_kept_in_the_users_cache(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    openvino.run(views, None, ["logits"])
    folder = cache_folder()
    assert folder is not None
    assert any((folder / "f32").iterdir())


def test_a_process_that_shares_the_machine_keeps_no_core_for_itself(views: np.ndarray) -> None:
    assert compile_config(exact=True, concurrency=1, processors=1, cache=None)["ENABLE_CPU_PINNING"] is False
    assert OpenVinoEngine(GRAPH, "f32", processors=1).run(views[:1], None, ["logits"])["logits"].shape == (1, 5)


def test_graphs_that_are_compiled_otherwise_are_cached_apart(tmp_path: Path) -> None:
    ways = [(True, 1, None), (False, 1, None), (True, 2, None), (True, 2, 1), (True, 1, 1)]
    folders = {compile_config(*way, tmp_path)["CACHE_DIR"] for way in ways}
    assert len(folders) == len(ways)


def test_gradients_without_a_target_are_refused(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    with pytest.raises(UsageError, match="target"):
        openvino.run(views, None, ["gradient_9"])


def test_an_output_that_the_graph_lacks_is_named(openvino: OpenVinoEngine, views: np.ndarray) -> None:
    with pytest.raises(ModelError, match="gradient_10"):
        openvino.run(views, None, ["gradient_10"])


@pytest.mark.parametrize("stored", ["f32", "f16", "int8"])
def test_a_square_weight_and_its_transpose_are_not_taken_for_each_other(stored: str) -> None:
    import openvino as ov
    import openvino.opset13 as opset

    rng = np.random.default_rng(0)
    whole, scales = rng.integers(-9, 9, (8, 8)).astype(np.float32), rng.random((1, 8), np.float32)
    weight = {
        "f32": lambda: opset.constant(whole * scales),
        "f16": lambda: opset.convert(opset.constant((whole * scales).astype(np.float16)), "f32"),
        "int8": lambda: opset.multiply(
            opset.convert(opset.constant(whole.astype(np.int8)), "f32"), opset.constant(scales)
        ),
    }[stored]()
    inputs = opset.parameter([4, 8], np.float32)
    forward = opset.tanh(opset.matmul(inputs, weight, False, False))
    backward = opset.matmul(forward, opset.transpose(weight, opset.constant([1, 0])), False, False)
    model = ov.Model([backward], [inputs], "square")
    separate_square_weights(model)
    values = rng.standard_normal((4, 8)).astype(np.float32)
    found = open_core().compile_model(model, "CPU", compile_config(True, 1, None, None))([values])[0]
    assert np.allclose(found, np.tanh(values @ (whole * scales)) @ (whole * scales).T, rtol=0.01, atol=0.01)
