"""Explanations of the embedded model: what the small network of the unit tests cannot show."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from artnet.attribution.explain import ExplainOptions, explain
from artnet.attribution.methods import METHODS, Sampling
from artnet.model.classifier import Classifier
from artnet.model.config import DEPTHS
from artnet.model.engine import ATTENTION_MAPS

FEW = ExplainOptions(sampling=Sampling(masks=4, channels=2, steps=2, samples=2, squares=2))


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ATTENTION_MAPS])
def test_every_method_explains_the_embedded_model(classifier: Classifier, painting: Image.Image, method: str) -> None:
    explanation = explain(classifier, painting, method=method, options=FEW)
    for depth in explanation.maps:
        heatmap = explanation.heatmap(depth)
        assert heatmap.shape == (300, 420)
        assert 0 <= heatmap.min() and heatmap.max() <= 1


def test_gradients_of_the_last_layer_are_those_of_the_logit(classifier: Classifier) -> None:
    """Behind it the network is linear, so a difference of logits is the gradient times that of activations."""
    size_px = classifier.engine.size_px
    view = np.random.default_rng(1).normal(0, 0.5, (1, 3, size_px, size_px)).astype(np.float32)
    target, names = np.eye(5, dtype=np.float32)[[3]], ["logits", "activation_9", "gradient_9"]
    full, half = (classifier.engine.run(factor * view, target, names) for factor in (np.float32(1), np.float32(0.5)))
    product = float((full["gradient_9"] * (full["activation_9"] - half["activation_9"])).sum())
    assert product == pytest.approx(float(full["logits"][0, 3] - half["logits"][0, 3]), rel=1e-3, abs=1e-3)


def test_shuffled_weights_change_the_maps(classifier: Classifier, painting: Image.Image) -> None:
    explanation = explain(classifier, painting, depth=9, options=ExplainOptions(faithfulness=True))
    (result,) = explanation.faithfulness.values()
    assert abs(result.shuffled_correlation) < 0.9


def test_a_constant_image_has_nine_maps_without_nan(classifier: Classifier) -> None:
    explanation = explain(classifier, Image.new("RGB", (64, 64), "white"))
    assert len(explanation.maps) == DEPTHS
    assert all(np.isfinite(explanation.heatmap(depth)).all() for depth in explanation.maps)
