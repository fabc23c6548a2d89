"""What the graph's outputs depend on."""

from __future__ import annotations

from artnet.model.engine import CHANNELS_GRADIENT, required_inputs


def test_outputs_need_only_the_inputs_they_depend_on() -> None:
    assert required_inputs(["logits", "activation_3"]) == ["views"]
    assert required_inputs(["logits", "gradient_3", "gradient_views"]) == ["views", "target"]
    assert required_inputs([CHANNELS_GRADIENT]) == ["views", "mixture"]
