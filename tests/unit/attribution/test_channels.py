"""Which channels contribute to a logit."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from artnet.attribution.channels import parse_channel, rank_channels
from artnet.attribution.explain import ExplainOptions, explain
from artnet.attribution.methods import TargetScorer
from artnet.errors import UsageError
from fixtures.engine import CHANNELS, TinyEngine, tiny_classifier


def test_shares_are_the_mean_gradient_times_the_mean_activation() -> None:
    view = np.random.default_rng(0).normal(0, 1, (3, 28, 28)).astype(np.float32)
    scorer = TargetScorer(TinyEngine(), np.eye(5, dtype=np.float32)[[1]])
    layer = tiny_classifier().config.layers[4]
    outputs = scorer.layer_outputs(view, ["activation_5", "gradient_5"])
    expected = outputs["gradient_5"].mean((1, 2)) * outputs["activation_5"].mean((1, 2))
    (ranked,) = rank_channels(scorer, view, [layer], CHANNELS).values()
    assert [each.share for each in ranked] == pytest.approx(sorted(expected, reverse=True))
    assert [expected[each.channel] for each in ranked] == pytest.approx([each.share for each in ranked])


def test_the_shares_of_the_last_layer_add_up_to_the_logit() -> None:
    """Behind the last activation the network is linear: removing a channel removes its share."""
    view = np.random.default_rng(0).normal(0, 1, (3, 28, 28)).astype(np.float32)
    scorer = TargetScorer(TinyEngine(), np.eye(5, dtype=np.float32)[[1]])
    layer = tiny_classifier().config.layers[8]
    (ranked,) = rank_channels(scorer, view, [layer], CHANNELS).values()
    cells = layer.grid[0] * layer.grid[1]
    assert sum(each.share for each in ranked) * cells == pytest.approx(scorer.logit(view[None])[0], rel=1e-4)


def test_the_strongest_channels_are_part_of_an_explanation(painting: Image.Image) -> None:
    explanation = explain(tiny_classifier(), painting, depth=5, options=ExplainOptions(channels=3))
    channels = explanation.to_dict()["depths"][0]["channels"]
    assert len(channels) == 3
    assert channels[0]["share"] >= channels[2]["share"]


@pytest.mark.parametrize("text", ["", "4", "0:1", "10:1", "4:-1", "4:x", "1:16000"])
def test_an_unknown_channel_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="channel"):
        parse_channel(text, tiny_classifier().config)
