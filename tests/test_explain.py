"""Grad-CAM as published, at nine depths, on the painting's own pixels."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

import artnet
from artnet.classify import Classifier
from artnet.errors import ModelError, UsageError
from artnet.explain import explain, grad_cam, on_painting, question_target, scaled, without_bands
from artnet.views import placement

GRIDS = arrays(np.float32, (3, 4, 5), elements=st.floats(-10, 10, width=32))


def test_the_public_name_is_the_function_even_after_the_module_was_imported() -> None:
    assert artnet.explain is explain


def test_grad_cam_worked_by_hand() -> None:
    # Channel 1: activation (1, 2), gradient mean 2. Channel 2: activation (3, 1), gradient mean -1.
    activation = np.array([[[1, 2]], [[3, 1]]], np.float32)
    gradient = np.array([[[1, 3]], [[-2, 0]]], np.float32)
    # 2 * (1, 2) - 1 * (3, 1) = (-1, 3); what speaks against is cut off.
    assert grad_cam(activation, gradient).tolist() == [[0, 3]]


@given(GRIDS, GRIDS, st.floats(0.5, 100))
def test_scaling_all_logits_changes_no_map(activation: np.ndarray, gradient: np.ndarray, factor: float) -> None:
    plain = scaled(grad_cam(activation, gradient))
    larger = scaled(grad_cam(activation, gradient * np.float32(factor)))
    assert np.allclose(plain, larger, atol=1e-3) or plain.max() == 0 or grad_cam(activation, gradient).max() < 1e-3


@given(GRIDS)
def test_a_scaled_map_is_finite_and_within_0_and_1(values: np.ndarray) -> None:
    found = scaled(np.maximum(values[0], 0))
    assert np.isfinite(found).all()
    assert 0 <= found.min() and found.max() <= 1


def test_a_map_of_zeros_stays_one() -> None:
    assert scaled(np.zeros((2, 2), np.float32)).tolist() == [[0, 0], [0, 0]]


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from(["letterbox", "stretch"]))
def test_a_map_has_the_paintings_size(width: int, height: int, fit: str) -> None:
    grid = np.random.default_rng(0).random((7, 7)).astype(np.float32)
    found = on_painting(grid, placement(width, height, 224, fit))  # type: ignore[arg-type]
    assert found.shape == (height, width)
    assert 0 <= found.min() and found.max() <= 1


def test_the_letterboxs_bands_never_glow() -> None:
    grid = np.zeros((8, 8), np.float32)
    grid[:2] = grid[6:] = 1  # all evidence lies in the bands of a painting twice as wide as high
    place = placement(800, 400, 256, "letterbox")
    assert on_painting(grid, place).max() == 0
    assert without_bands(grid, place).max() == 0


def test_a_map_lies_where_the_painting_lies_in_its_view() -> None:
    grid = np.zeros((8, 8), np.float32)
    grid[2, 0] = 1  # the upper left corner of what the letterbox shows
    found = on_painting(grid, placement(800, 400, 256, "letterbox"))
    assert found[0, 0] == 1
    assert found[200:, 400:].max() == 0


def test_nine_maps_of_the_answer(classifier: Classifier, painting: Image.Image) -> None:
    found = explain(classifier, painting)
    assert list(found.maps) == list(range(1, 10))
    assert found.movement == found.prediction.movement
    for depth in found.maps:
        heatmap = found.heatmap(depth)
        assert heatmap.shape == (300, 420)
        assert heatmap.dtype == np.float32
        assert np.isfinite(heatmap).all()
        assert 0 <= heatmap.min() and heatmap.max() <= 1


def test_the_maps_are_the_gradients_of_the_logit(classifier: Classifier, painting: Image.Image) -> None:
    """Numerically: raising the activation along the gradient is what Grad-CAM's weights measure.

    For the deepest layer the head is linear (pooling, batch normalisation, dense), so the logit equals its bias
    plus the sum of gradient times activation, exactly.
    """
    config, engine = classifier.config, classifier.engine
    view = np.random.default_rng(1).normal(0, 0.5, (1, 3, *[config.preprocessing.size_px] * 2)).astype(np.float32)
    target = np.eye(5, dtype=np.float32)[[3]]
    found = engine.run(view, target, ["logits", "activation_9", "gradient_9"])
    half = engine.run(view * 0.5, target, ["logits", "activation_9", "gradient_9"])
    linear = float((found["gradient_9"] * (found["activation_9"] - half["activation_9"])).sum())
    assert linear == pytest.approx(float(found["logits"][0, 3] - half["logits"][0, 3]), rel=1e-3, abs=1e-3)


def test_one_depth_equals_that_of_all(classifier: Classifier, painting: Image.Image) -> None:
    every, single = explain(classifier, painting), explain(classifier, painting, depth=9)
    assert list(single.maps) == [9]
    assert np.allclose(single.heatmap(9), every.heatmap(9), atol=1e-4)
    with pytest.raises(UsageError, match="depth 3 was not computed"):
        single.heatmap(3)


def test_a_constant_picture_gives_no_nan(classifier: Classifier) -> None:
    found = explain(classifier, Image.new("RGB", (64, 64), "white"))
    assert all(np.isfinite(found.heatmap(depth)).all() for depth in found.maps)


def test_a_peak_lies_where_the_map_is_strongest(classifier: Classifier, painting: Image.Image) -> None:
    found = explain(classifier, painting, depth=9)
    x, y = found.to_dict()["depths"][0]["peak"]
    assert found.heatmap(9)[y, x] > 0.9


def test_questions_are_weights_of_logits() -> None:
    movements = ("Cubism", "Realism", "Abstract")
    assert question_target(movements, "Realism", None).tolist() == [[0, 1, 0]]
    assert question_target(movements, "Realism", "Cubism").tolist() == [[-1, 1, 0]]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"movement": "Dada"}, "unknown movement 'Dada'; this model knows Cubism"),
        ({"movement": "Realism", "rather_than": "Realism"}, "asks nothing"),
        ({"method": "guesswork"}, "use one of gradcam"),
        ({"depth": 0}, "1 .shallow. to 9"),
        ({"depth": 10}, "1 .shallow. to 9"),
    ],
)
def test_a_question_that_cannot_be_meant_is_refused(
    classifier: Classifier, painting: Image.Image, arguments: dict[str, object], fault: str
) -> None:
    with pytest.raises(UsageError, match=fault):
        explain(classifier, painting, **arguments)  # type: ignore[arg-type]


def test_a_model_without_explained_layers_says_so(classifier: Classifier, painting: Image.Image) -> None:
    bare = Classifier(dataclasses.replace(classifier.config, layers=()), classifier.engine)
    with pytest.raises(ModelError, match="no explained layers"):
        explain(bare, painting)
