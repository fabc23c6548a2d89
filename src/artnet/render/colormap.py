"""Perceptually uniform colour maps for heatmaps: a sequential one, and a diverging one of two halves."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
ColormapName = Literal["sequential", "positive", "negative"]

# Hue at the start and how far it turns, in degrees, and where the chroma's wave begins.
_PATHS: dict[ColormapName, tuple[float, float, float]] = {
    "sequential": (280, 185, 0.1),
    "positive": (0, 105, 0.25),
    "negative": (285, -120, 0.25),
}
_OKLAB_TO_LMS = np.array(
    [
        [1, 0.3963377774, 0.2158037573],
        [1, -0.1055613458, -0.0638541728],
        [1, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_LINEAR_SRGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def sequential(values: Floats) -> NDArray[np.uint8]:
    """Colour values in 0..1, any shape: deep blue over red to pale yellow, (..., 3)."""
    return _look_up(values, colormap("sequential"))


def diverging(values: Floats) -> NDArray[np.uint8]:
    """Colour values in -1..1, any shape: positive ones dark red to yellow, negative ones dark blue to pale green."""
    warm, cold = (_look_up(np.abs(values), colormap(name)) for name in ("positive", "negative"))
    return np.where((np.asarray(values) >= 0)[..., None], warm, cold)


@cache
def colormap(name: ColormapName) -> NDArray[np.uint8]:
    """Return 256 sRGB colours, (256, 3): lightness rises in equal steps, so that equal differences look equal.

    A path through Oklab (Ottosson, "A perceptual color space for image processing", 2020): lightness from 0.25 to
    0.95 while the hue turns, for the sequential map from blue (280 degrees) over red (20) to yellow (105).
    """
    start, turn, wave = _PATHS[name]
    step = np.linspace(0, 1, 256)
    lightness = 0.25 + 0.70 * step
    hue = np.radians(start + turn * step)
    chroma = 0.04 + 0.11 * np.sin(np.pi * (wave + (0.85 - wave) * step))
    if name == "negative":  # sRGB holds fewer blues and greens of one lightness
        chroma *= 0.7
    rgb = _oklab_to_srgb(np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1))
    return (rgb.clip(0, 1) * 255).round().astype(np.uint8)


def _look_up(values: Floats, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return table[(np.clip(values, 0, 1) * 255).round().astype(np.intp)]


def _oklab_to_srgb(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert Oklab (..., 3) to sRGB in 0..1; the matrices are Ottosson's."""
    linear = (lab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_LINEAR_SRGB.T
    curved = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    result: NDArray[np.float64] = np.where(linear <= 0.0031308, 12.92 * linear, curved)
    return result
