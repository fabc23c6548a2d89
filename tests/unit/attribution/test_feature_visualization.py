"""Images that maximise the activation of a channel."""

from __future__ import annotations

import numpy as np
import pytest

from artnet.attribution.channels import parse_channel
from artnet.attribution.feature_visualization import visualize_feature
from artnet.errors import ModelError
from artnet.model.engine import output_names
from fixtures.engine import TinyEngine, tiny_classifier


def test_a_visualization_activates_its_channel() -> None:
    classifier = tiny_classifier()
    layer, channel = parse_channel("3:2", classifier.config)
    visualization = visualize_feature(classifier, layer, channel, steps=12)
    assert visualization.activation > 2 * visualization.start_activation > 0
    assert visualization.pixels.shape == (28, 28, 3)


def test_a_visualization_depends_on_nothing_but_its_seed() -> None:
    classifier = tiny_classifier()
    layer, channel = parse_channel("3:2", classifier.config)
    first, again, other = (visualize_feature(classifier, layer, channel, 2, seed).pixels for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_silent_channel_gives_an_image_without_nan() -> None:
    classifier = tiny_classifier(TinyEngine(gain=0))
    visualization = visualize_feature(classifier, classifier.config.layers[0], 0, steps=2)
    assert (visualization.start_activation, visualization.activation) == (0, 0)


def test_a_model_of_before_says_which_output_it_lacks() -> None:
    classifier = tiny_classifier(TinyEngine(outputs=frozenset(output_names()) - {"gradient_channels"}))
    with pytest.raises(ModelError, match="'gradient_channels'"):
        visualize_feature(classifier, classifier.config.layers[0], 0, steps=1)
