"""The test views and their logits, which tell whether a runtime computes what the model was exported with."""

from __future__ import annotations

import numpy as np
import pytest

from artnet.model.classifier import Classifier
from artnet.model.config import default_model
from artnet.model.openvino import OpenVinoEngine
from artnet.model.preprocessing import network_input
from artnet.model.self_check import check_views, measure_self_check


def pixel(view: int, x: int, y: int) -> tuple[int, ...]:
    return tuple(int(value) for value in np.asarray(check_views(224)[view].image)[y, x])


def test_the_gradient_goes_from_black_to_white_with_one_colour_along_each_side() -> None:
    assert [pixel(0, x, y) for x, y in ((0, 0), (223, 0), (0, 223), (223, 223))] == [
        (0, 0, 0),
        (255, 0, 127),
        (0, 255, 127),
        (255, 255, 255),
    ]


def test_the_checkerboards_squares_are_8_16_and_24_pixels_wide() -> None:
    assert [pixel(1, x, 0) for x in (0, 8, 16, 24)] == [(0, 0, 0), (255, 0, 0), (0, 255, 0), (255, 255, 255)]


def test_the_mosaics_first_colour_is_that_of_the_generator() -> None:
    # 1013904223, 1196435762 and 3519870697: the published first values of the generator that starts at 0
    assert pixel(2, 0, 0) == pixel(2, 7, 7) == (1013904223 >> 24, 1196435762 >> 24, 3519870697 >> 24)


def test_the_embedded_models_logits_are_those_stored(classifier: Classifier) -> None:
    measured = measure_self_check(classifier.engine, classifier.config.preprocessing)
    assert classifier.config.self_check is not None
    np.testing.assert_allclose(measured.logits, classifier.config.self_check.logits, atol=0.001)


def test_another_runtime_computes_them_too(classifier: Classifier) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="install it: pip install '.[onnxruntime]'")
    session = onnxruntime.InferenceSession(str(default_model() / "model.onnx"), providers=["CPUExecutionProvider"])
    views = network_input(check_views(224), classifier.config.preprocessing)
    zeros = {"target": (3, 5), "mixture": (3, session.get_inputs()[2].shape[1])}
    feed = {name: np.zeros(shape, np.float32) for name, shape in zeros.items()}
    logits = session.run(["logits"], {"views": views, **feed})[0]
    assert classifier.config.self_check is not None
    np.testing.assert_allclose(logits, classifier.config.self_check.logits, atol=0.001)


def test_shuffled_weights_are_noticed(classifier: Classifier) -> None:
    shuffled = OpenVinoEngine(default_model() / "model.onnx", "f32").shuffled(0)
    measured = measure_self_check(shuffled, classifier.config.preprocessing)
    assert classifier.config.self_check is not None
    assert np.abs(np.subtract(measured.logits, classifier.config.self_check.logits)).max() > 0.5
