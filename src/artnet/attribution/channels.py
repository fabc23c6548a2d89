"""Find the channels of a layer that matter for an answer, and dream up what excites one most.

Knows nothing about drawing or files; works through the graph's own gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artnet.attribution.methods import TargetScorer
from artnet.errors import ModelError, UsageError
from artnet.model.config import Layer, ModelConfig, Preprocessing
from artnet.model.engine import Engine
from artnet.model.graph import CHANNELS_GRADIENT

Floats = NDArray[np.float32]

_RATE = 0.05  # Adam's, as in the paper's published programs
_DECAY = 0.9  # Adam's first moment; the second is 0.999
_JITTER_SHARE = 1 / 14  # of the side; the paper shifts by up to 16 px of 224
_L2 = 1e-4  # keeps frequencies that nothing asks for at zero
_COLOUR_SHARE = 0.4  # of lightness: paintings, like photographs, vary less in hue than in lightness
_CONTRASTS = (0.3, 1.0, 3.0, 10.0)  # of the noise to begin with; a silent channel has no slope to climb
# Lightness, then two colours that leave it alone: orthogonal, rows of equal length.
_COLOURS = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])


@dataclass(frozen=True)
class ChannelShare:
    """What one channel adds to the logit that is asked about, to first order: its mean times its weight."""

    depth: int
    channel: int
    share: float


@dataclass(frozen=True)
class Dream:
    """A picture (S, S, 3) uint8 made to excite one channel, and the channel's mean before and after."""

    pixels: NDArray[np.uint8]
    before: float
    after: float


def channel_shares(
    probe: TargetScorer, view: Floats, layers: Sequence[Layer], count: int
) -> dict[int, list[ChannelShare]]:
    """Rank each layer's channels by what they add to the answer: Grad-CAM's weight times the mean activation.

    Selvaraju et al., "Grad-CAM", 2017: the weight is alpha_k of equation 1.
    """
    names = [f"{kind}_{layer.depth}" for layer in layers for kind in ("activation", "gradient")]
    found = probe.layers(view, names)
    ranked = {}
    for layer in layers:
        activation, gradient = (found[f"{kind}_{layer.depth}"] for kind in ("activation", "gradient"))
        shares = gradient.mean((1, 2)) * activation.mean((1, 2))
        best = np.argsort(-shares, kind="stable")[:count]
        ranked[layer.depth] = [ChannelShare(layer.depth, int(index), float(shares[index])) for index in best]
    return ranked


def find_channel(text: str, config: ModelConfig) -> tuple[Layer, int]:
    """Read `depth:index`. Errors: `UsageError` for what is not that, or not a channel of this model."""
    depth, _, channel = text.partition(":")
    if not (depth.isdecimal() and channel.isdecimal() and 1 <= int(depth) <= len(config.layers)):
        raise UsageError(f"channel is {text!r}; use depth:index, such as 4:17, with a depth of 1 to 9")
    layer = config.layers[int(depth) - 1]
    if int(channel) >= layer.channels:
        raise UsageError(f"depth {depth} has the channels 0 to {layer.channels - 1}; channel {channel} is not there")
    return layer, int(channel)


def dream(engine: Engine, config: ModelConfig, layer: Layer, channel: int, steps: int, seed: int = 0) -> Dream:
    """Climb from noise to a picture that excites one channel everywhere.

    Olah et al., "Feature visualization", 2017: gradient ascent by Adam on the picture's frequencies, each scaled by
    one over itself (their preconditioning), under random shifts; with Yosinski et al., "Understanding neural networks
    through deep visualization", 2015, the L2 decay. Errors: `ModelError` for a graph without `gradient_channels`.
    """
    if CHANNELS_GRADIENT not in engine.outputs:
        raise ModelError(
            f"channel pictures need the output {CHANNELS_GRADIENT!r}, which this model's graph does not have; export "
            "the model again with artnet export"
        )
    mixture = np.zeros((1, sum(each.channels for each in config.layers)), np.float32)
    mixture[0, sum(each.channels for each in config.layers[: layer.depth - 1]) + channel] = 1
    rng = np.random.default_rng(seed)
    for contrast in _CONTRASTS:
        canvas = _Spectrum(config.preprocessing.size_px, rng, contrast)
        start = canvas.picture()
        if _excitement(engine, _normalised(start, config.preprocessing), layer, channel):
            break
    reach = max(1, round(config.preprocessing.size_px * _JITTER_SHARE))
    for _ in range(steps):
        picture = canvas.picture()
        shift = tuple(int(each) for each in rng.integers(-reach, reach + 1, 2))
        view = np.roll(_normalised(picture, config.preprocessing), shift, (1, 2))
        uphill = engine.run(view[None], None, [CHANNELS_GRADIENT], mixture)[CHANNELS_GRADIENT][0]
        canvas.climb(np.roll(uphill, (-shift[0], -shift[1]), (1, 2)), picture)
    ends = (start, canvas.picture())
    before, after = (_excitement(engine, _normalised(each, config.preprocessing), layer, channel) for each in ends)
    return Dream((ends[1].transpose(1, 2, 0) * 255).round().astype(np.uint8), before, after)


class _Spectrum:
    """A picture kept as frequencies of three uncorrelated colours, with Adam's memory (Kingma and Ba, 2015)."""

    def __init__(self, size: int, rng: np.random.Generator, contrast: float) -> None:
        frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
        scale = 1 / np.maximum(frequency, 1 / size)
        self._size = size
        self._scale = scale / np.sqrt((scale**2).mean()) * size
        noise = rng.standard_normal((2, 3, *scale.shape))
        self._values = contrast * (noise[0] + 1j * noise[1])
        self._first = np.zeros_like(self._values)
        self._second = np.zeros((*self._values.shape, 2))
        self._steps = 0

    def picture(self) -> NDArray[np.float64]:
        """Give the picture, (3, S, S) in 0..1."""
        planes = np.fft.irfft2(self._values * self._scale, s=(self._size, self._size))
        return np.asarray(1 / (1 + np.exp(-np.einsum("cij,ck->kij", planes, self._colours()))))

    def climb(self, uphill: Floats, picture: NDArray[np.float64]) -> None:
        """Take one step of Adam along the gradient to the normalised view; its scale does not matter to Adam."""
        inner = uphill / (np.abs(uphill).mean() + 1e-30) * picture * (1 - picture)  # through the logistic curve
        planes = np.einsum("kij,ck->cij", inner, self._colours())
        slope = np.fft.rfft2(planes, norm="ortho") * self._scale / self._size - _L2 * self._values
        self._steps += 1
        self._first = _DECAY * self._first + (1 - _DECAY) * slope
        both = np.stack([slope.real, slope.imag], -1)
        self._second = 0.999 * self._second + 0.001 * both**2
        root = np.sqrt(self._second / (1 - 0.999**self._steps)) + 1e-8
        ahead = self._first / (1 - _DECAY**self._steps)
        self._values = self._values + _RATE * (ahead.real / root[..., 0] + 1j * ahead.imag / root[..., 1])

    @staticmethod
    def _colours() -> NDArray[np.float64]:
        weighted: NDArray[np.float64] = _COLOURS * np.array([[1], [_COLOUR_SHARE], [_COLOUR_SHARE]])
        return weighted


def _normalised(picture: NDArray[np.float64], preprocessing: Preprocessing) -> Floats:
    mean, std = (np.asarray(values).reshape(3, 1, 1) for values in (preprocessing.mean, preprocessing.std))
    view: Floats = ((picture - mean) / std).astype(np.float32)
    return view


def _excitement(engine: Engine, view: Floats, layer: Layer, channel: int) -> float:
    name = f"activation_{layer.depth}"
    return float(engine.run(view[None], None, [name])[name][0, channel].mean())
