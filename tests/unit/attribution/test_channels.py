"""Channels: which matter, and pictures that excite them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.attribution.channels import channel_shares, dream, find_channel
from artnet.attribution.explain import ExplainOptions, explain
from artnet.attribution.methods import TargetScorer
from artnet.errors import ModelError, UsageError
from artnet.model.classifier import Classifier


def test_the_shares_of_the_deepest_layer_are_what_its_channels_add_to_the_logit(exported: Path) -> None:
    """Behind the last activation the network is linear: taking a channel away takes its share away."""
    classifier = Classifier.load(exported, precision="f32")
    view = np.random.default_rng(0).normal(0, 1, (3, *[classifier.engine.size_px] * 2)).astype(np.float32)
    probe = TargetScorer(classifier.engine, np.eye(5, dtype=np.float32)[[1]])
    layer = classifier.config.layers[8]
    (ranked,) = channel_shares(probe, view, [layer], layer.channels).values()
    cells = layer.grid[0] * layer.grid[1]
    found = probe.layers(view, ["activation_9", "gradient_9"])
    assert sum(each.share for each in ranked) * cells == pytest.approx(
        float((found["gradient_9"] * found["activation_9"]).sum()), rel=1e-3
    )
    assert [each.share for each in ranked] == sorted((each.share for each in ranked), reverse=True)


def test_the_channels_that_matter_are_part_of_what_is_said(classifier: Classifier, painting: Image.Image) -> None:
    entry = explain(classifier, painting, depth=5, asking=ExplainOptions(channels=3)).to_dict()["depths"][0]
    assert len(entry["channels"]) == 3
    assert entry["channels"][0]["share"] >= entry["channels"][2]["share"]


def test_a_dream_excites_its_channel(exported: Path) -> None:
    classifier = Classifier.load(exported, precision="f32")
    layer, channel = find_channel("3:2", classifier.config)
    found = dream(classifier.engine, classifier.config, layer, channel, steps=12)
    assert found.after > found.before
    assert found.pixels.shape == (*[classifier.engine.size_px] * 2, 3)
    again = dream(classifier.engine, classifier.config, layer, channel, steps=12)
    assert again.pixels.tolist() == found.pixels.tolist()


def test_a_dream_of_a_silent_channel_is_no_nan(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = Classifier.load(exported, precision="f32")
    silent = type(classifier.engine).run

    def run(self: object, *arguments: object) -> dict[str, np.ndarray]:
        return {name: values * 0 for name, values in silent(self, *arguments).items()}  # type: ignore[arg-type]

    monkeypatch.setattr(type(classifier.engine), "run", run)
    found = dream(classifier.engine, classifier.config, classifier.config.layers[0], 0, steps=2)
    assert (found.before, found.after) == (0, 0)


@pytest.mark.parametrize("text", ["", "4", "0:1", "10:1", "4:-1", "4:x", "1:16000"])
def test_a_channel_that_there_is_not_is_refused(classifier: Classifier, text: str) -> None:
    with pytest.raises(UsageError, match="channel"):
        find_channel(text, classifier.config)


def test_a_model_of_before_cannot_dream(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(classifier.engine), "outputs", frozenset({"logits"}))
    with pytest.raises(ModelError, match="'gradient_channels'"):
        dream(classifier.engine, classifier.config, classifier.config.layers[0], 0, steps=1)
