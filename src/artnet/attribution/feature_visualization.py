"""Feature visualization: an image that maximises the activation of one channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artnet.errors import ModelError
from artnet.model.classifier import Classifier
from artnet.model.config import Layer, Preprocessing
from artnet.model.engine import CHANNELS_GRADIENT, Engine

Floats = NDArray[np.float32]

_LEARNING_RATE = 0.05  # Adam's, as in the paper's published programs
_BETA1, _BETA2 = 0.9, 0.999  # Adam's usual moments
_JITTER_SHARE = 1 / 14  # of the side; the paper shifts by up to 16 px of 224
_WEIGHT_DECAY = 1e-4  # keeps frequencies that the channel ignores at zero
_CHROMA_SHARE = 0.4  # of lightness: paintings, like photographs, vary less in hue than in lightness
_CONTRASTS = (0.3, 1.0, 3.0, 10.0)  # of the noise at the start, tried in turn: a silent channel has no gradient
# Lightness, then two colours that leave it alone: orthogonal, rows of equal length.
_COLOUR_BASIS = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])
_COLOURS = _COLOUR_BASIS * np.array([[1], [_CHROMA_SHARE], [_CHROMA_SHARE]])


@dataclass(frozen=True)
class FeatureVisualization:
    """An image (S, S, 3) uint8 that maximises one channel, and the channel's mean activation before and after."""

    pixels: NDArray[np.uint8]
    start_activation: float
    activation: float


def visualize_feature(
    classifier: Classifier, layer: Layer, channel: int, steps: int, seed: int = 0
) -> FeatureVisualization:
    """Maximise one channel's mean activation by gradient ascent, from noise.

    Olah et al., "Feature visualization", 2017: Adam on the image's frequencies, each scaled by its inverse (their
    preconditioning), under random shifts; with Yosinski et al., "Understanding neural networks through deep
    visualization", 2015, the L2 decay.

    Args:
        classifier: model whose graph is climbed
        layer: where the channel is
        channel: index into the layer
        steps: of Adam
        seed: of noise and shifts

    Raises:
        ModelError: for a graph without the output `gradient_channels`
    """
    engine, preprocessing, layers = classifier.engine, classifier.config.preprocessing, classifier.config.layers
    if CHANNELS_GRADIENT not in engine.outputs:
        raise ModelError(
            f"feature visualization needs the output {CHANNELS_GRADIENT!r}, which this model's graph does not have; "
            "export the model again with artnet export"
        )
    mixture = np.zeros((1, sum(each.channels for each in layers)), np.float32)
    mixture[0, sum(each.channels for each in layers[: layer.depth - 1]) + channel] = 1
    rng = np.random.default_rng(seed)
    for contrast in _CONTRASTS:
        spectrum = _Spectrum(preprocessing.size_px, rng, contrast)
        start_activation = _mean_activation(engine, _normalise(spectrum.image(), preprocessing), layer, channel)
        if start_activation:
            break
    max_shift = max(1, round(preprocessing.size_px * _JITTER_SHARE))
    for _ in range(steps):
        image = spectrum.image()
        shift = tuple(int(each) for each in rng.integers(-max_shift, max_shift + 1, 2))
        view = np.roll(_normalise(image, preprocessing), shift, (1, 2))
        gradient = engine.run(view[None], None, [CHANNELS_GRADIENT], mixture)[CHANNELS_GRADIENT][0]
        spectrum.ascend(np.roll(gradient, (-shift[0], -shift[1]), (1, 2)), image)
    image = spectrum.image()
    activation = _mean_activation(engine, _normalise(image, preprocessing), layer, channel)
    pixels = (image.transpose(1, 2, 0) * 255).round().astype(np.uint8)
    return FeatureVisualization(pixels, start_activation, activation)


class _Spectrum:
    """An image as frequencies of three uncorrelated colours, with Adam's moments (Kingma and Ba, 2015)."""

    def __init__(self, size: int, rng: np.random.Generator, contrast: float) -> None:
        frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
        scale = 1 / np.maximum(frequency, 1 / size)
        self._size = size
        self._scale = scale / np.sqrt((scale**2).mean()) * size
        noise = rng.standard_normal((2, 3, *scale.shape))
        self._values = contrast * (noise[0] + 1j * noise[1])
        self._moment1 = np.zeros_like(self._values)
        self._moment2 = np.zeros((*self._values.shape, 2))
        self._steps = 0

    def image(self) -> NDArray[np.float64]:
        """Return the image, (3, S, S), 0 to 1."""
        planes = np.fft.irfft2(self._values * self._scale, s=(self._size, self._size))
        return np.asarray(1 / (1 + np.exp(-np.einsum("cij,ck->kij", planes, _COLOURS))))

    def ascend(self, gradient: Floats, image: NDArray[np.float64]) -> None:
        """Take one step of Adam along the gradient to the normalised view; its scale does not matter to Adam."""
        inner = gradient / (np.abs(gradient).mean() + 1e-30) * image * (1 - image)  # through the logistic curve
        planes = np.einsum("kij,ck->cij", inner, _COLOURS)
        slope = np.fft.rfft2(planes, norm="ortho") * self._scale / self._size - _WEIGHT_DECAY * self._values
        self._steps += 1
        self._moment1 = _BETA1 * self._moment1 + (1 - _BETA1) * slope
        parts = np.stack([slope.real, slope.imag], -1)
        self._moment2 = _BETA2 * self._moment2 + (1 - _BETA2) * parts**2
        root = np.sqrt(self._moment2 / (1 - _BETA2**self._steps)) + 1e-8
        mean = self._moment1 / (1 - _BETA1**self._steps)
        self._values = self._values + _LEARNING_RATE * (mean.real / root[..., 0] + 1j * mean.imag / root[..., 1])


def _normalise(image: NDArray[np.float64], preprocessing: Preprocessing) -> Floats:
    mean, std = (np.asarray(values).reshape(3, 1, 1) for values in (preprocessing.mean, preprocessing.std))
    result: Floats = ((image - mean) / std).astype(np.float32)
    return result


def _mean_activation(engine: Engine, view: Floats, layer: Layer, channel: int) -> float:
    name = f"activation_{layer.depth}"
    return float(engine.run(view[None], None, [name])[name][0, channel].mean())
