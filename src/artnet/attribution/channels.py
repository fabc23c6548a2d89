"""Channel attribution: the channels of a layer that contribute most to the target's logit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artnet.attribution.methods import TargetScorer
from artnet.errors import UsageError
from artnet.model.config import Layer, ModelConfig

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ChannelShare:
    """What one channel contributes to the target's logit, to first order."""

    depth: int
    channel: int
    share: float


def rank_channels(
    scorer: TargetScorer, view: Floats, layers: Sequence[Layer], count: int
) -> dict[int, list[ChannelShare]]:
    """Rank each layer's channels by Grad-CAM's weight times the mean activation.

    Selvaraju et al., "Grad-CAM", 2017: the weight is alpha_k of equation 1.

    Args:
        scorer: of the target
        view: normalised, (3, S, S)
        layers: whose channels are ranked
        count: channels kept of each layer

    Returns:
        channels by depth, the largest share first; nothing where the graph lacks the gradients
    """
    names = {layer.depth: (f"activation_{layer.depth}", f"gradient_{layer.depth}") for layer in layers}
    needed = [name for pair in names.values() for name in pair]
    if not count or not needed or not scorer.engine.outputs.issuperset(needed):
        return {}
    outputs = scorer.layer_outputs(view, needed)
    ranked = {}
    for depth, pair in names.items():
        activation, gradient = (outputs[name] for name in pair)
        shares = gradient.mean((1, 2)) * activation.mean((1, 2))
        order = np.argsort(-shares, kind="stable")[:count]
        ranked[depth] = [ChannelShare(depth, int(index), float(shares[index])) for index in order]
    return ranked


def parse_channel(text: str, config: ModelConfig) -> tuple[Layer, int]:
    """Read `depth:index`, such as 4:17.

    Raises:
        UsageError: for anything else, or for a channel that the model does not have
    """
    depth, _, channel = text.partition(":")
    if not (depth.isdecimal() and channel.isdecimal() and 1 <= int(depth) <= len(config.layers)):
        raise UsageError(f"channel is {text!r}; use depth:index, such as 4:17, with a depth of 1 to 9")
    layer = config.layers[int(depth) - 1]
    if int(channel) >= layer.channels:
        raise UsageError(f"depth {depth} has no channel {channel}; its channels are 0 to {layer.channels - 1}")
    return layer, int(channel)
