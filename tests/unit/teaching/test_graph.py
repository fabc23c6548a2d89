"""A graph with another head computes that head, and its gradients, as the graph before did."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from artnet.errors import ModelError
from artnet.model.classifier import Classifier
from artnet.model.config import GRAPH_FILE, default_model
from artnet.model.logistic_regression import LogisticRegression
from artnet.model.openvino import OpenVinoEngine
from artnet.teaching.graph import read_head, write_with_head

pytest.importorskip("onnx", reason="needs pip install '.[teach]'")
GRAPH = default_model() / GRAPH_FILE
RNG = np.random.default_rng(0)


def test_gradients_of_mixed_classes_are_the_same_mixture_of_the_old_gradients(
    classifier: Classifier, tmp_path: Path
) -> None:
    # Each new class is a mixture of the old ones, so a new target asks what its mixture asked of the graph before.
    old, mixture = read_head(GRAPH), RNG.normal(size=(5, 7))
    write_with_head(GRAPH, LogisticRegression(old.weight @ mixture, old.bias @ mixture), tmp_path / GRAPH_FILE)
    views = RNG.standard_normal((1, 3, 224, 224)).astype(np.float32)
    target = RNG.normal(size=(1, 7)).astype(np.float32)
    names = ["gradient_9", "gradient_1", "gradient_views"]
    taught = OpenVinoEngine(tmp_path / GRAPH_FILE, "f32", cached=False).run(views, target, names)
    before = classifier.engine.run(views, (target @ mixture.T).astype(np.float32), names)
    for name in names:
        np.testing.assert_allclose(taught[name], before[name], rtol=1e-3, atol=1e-4 * np.abs(before[name]).max())


@pytest.mark.parametrize("classes", [2, 60])
def test_the_logits_are_those_of_the_head_on_the_embedding(classes: int, tmp_path: Path) -> None:
    head = LogisticRegression(RNG.normal(size=(1280, classes)), RNG.normal(size=classes))
    write_with_head(GRAPH, head, tmp_path / GRAPH_FILE)
    engine = OpenVinoEngine(tmp_path / GRAPH_FILE, "f32", cached=False)
    assert (engine.classes, engine.styles) == (classes, 0)
    outputs = engine.run(RNG.standard_normal((1, 3, 224, 224)).astype(np.float32), None, ["logits", "embedding"])
    expected = read_head(GRAPH).features(outputs["embedding"]) @ head.weight + head.bias
    np.testing.assert_allclose(outputs["logits"], expected, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("weight_format", ["f16", "int8"])
def test_a_head_that_is_stored_smaller_is_read_and_replaced(
    weight_format: Literal["f16", "int8"], tmp_path: Path
) -> None:
    from artnet.training.export.weight_format import convert_weights  # needs onnx when it is imported

    convert_weights(GRAPH, tmp_path / "small.onnx", weight_format)
    small, whole = read_head(tmp_path / "small.onnx"), read_head(GRAPH)
    np.testing.assert_allclose(small.weight, whole.weight, atol=0.01 * np.abs(whole.weight).max())
    write_with_head(tmp_path / "small.onnx", LogisticRegression(whole.weight[:, :2], whole.bias[:2]), tmp_path / "new")
    np.testing.assert_allclose(read_head(tmp_path / "new").weight, whole.weight[:, :2], rtol=1e-6)


def test_a_file_that_is_no_graph_is_named(tmp_path: Path) -> None:
    path = tmp_path / GRAPH_FILE
    path.write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"model\.onnx: cannot be read as an ONNX graph"):
        read_head(path)
