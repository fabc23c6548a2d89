"""Draw evidence over a painting, in perceptually even colours.

Knows nothing about models or sheets: arrays in, pictures out.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Side = Literal["only", "for", "against"]

_BAND_ROWS = 256
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow's grey


def overlay(
    image: Image.Image, heatmap: Floats, opacity: float = 0.75, in_colour: bool = False, signed: bool = False
) -> Image.Image:
    """Lay a heatmap (H, W), 0..1 or -1..1, over a picture of the same size.

    The painting is drawn in grey, so that no colour of its own is taken for evidence, unless `in_colour`. Where there
    is no evidence it stays as it is; where there is most, `opacity` (0 to 1) of it is covered. What speaks against is
    drawn in cold colours, and then what speaks for in other warm ones; `signed` does so even where nothing is
    negative. Blended in bands of rows, so that a large painting is not held several times over.
    """
    pixels = np.asarray(image)
    blended = np.empty_like(pixels)
    signed = signed or bool(heatmap.min(initial=0) < 0)
    for top in range(0, len(pixels), _BAND_ROWS):
        rows, heat = pixels[top : top + _BAND_ROWS].astype(np.float32), heatmap[top : top + _BAND_ROWS]
        if not in_colour:
            rows = np.repeat((rows @ _LUMA)[..., None], 3, axis=-1)
        share = (np.clip(np.abs(heat), 0, 1) * np.float32(opacity))[..., None]
        rows += share * ((two_sided(heat) if signed else colour(heat)) - rows)
        blended[top : top + _BAND_ROWS] = rows.round().clip(0, 255)
    return Image.fromarray(blended)


def colour(values: Floats) -> NDArray[np.uint8]:
    """Colour values in 0..1, any shape, with the one colour map: deep blue over red to pale yellow, (..., 3)."""
    return _looked_up(values, colour_table("only"))


def two_sided(values: Floats) -> NDArray[np.uint8]:
    """Colour values in -1..1: warm, dark red to yellow, what speaks for; cold, dark blue to pale green, against."""
    warm, cold = (_looked_up(np.abs(values), colour_table(side)) for side in ("for", "against"))
    result: NDArray[np.uint8] = np.where((np.asarray(values) >= 0)[..., None], warm, cold)
    return result


# Hue at the start and how far it turns, in degrees, and where the chroma's wave begins.
_PATHS: dict[str, tuple[float, float, float]] = {
    "only": (280, 185, 0.1),
    "for": (0, 105, 0.25),
    "against": (285, -120, 0.25),
}


@cache
def colour_table(side: Side = "only") -> NDArray[np.uint8]:
    """Give 256 colours (256, 3): lightness rises in equal steps, so that equal steps of evidence look equal.

    A path through Oklab (Ottosson, "A perceptual color space for image processing", 2020): lightness from 0.25 to
    0.95 while the hue turns, for the one-sided map from blue (280 degrees) over red (20) to yellow (105).
    """
    start, turn, wave = _PATHS[side]
    step = np.linspace(0, 1, 256)
    lightness = 0.25 + 0.70 * step
    hue = np.radians(start + turn * step)
    chroma = 0.04 + 0.11 * np.sin(np.pi * (wave + (0.85 - wave) * step))
    if side == "against":  # sRGB holds fewer blues and greens of one lightness
        chroma *= 0.7
    rgb = _oklab_to_srgb(np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1))
    return (rgb.clip(0, 1) * 255).round().astype(np.uint8)


def _looked_up(values: Floats, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    result: NDArray[np.uint8] = table[(np.clip(values, 0, 1) * 255).round().astype(np.intp)]
    return result


def _oklab_to_srgb(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert Oklab (..., 3) to sRGB in 0..1; the matrices are Ottosson's."""
    to_lms = np.array(
        [
            [1, 0.3963377774, 0.2158037573],
            [1, -0.1055613458, -0.0638541728],
            [1, -0.0894841775, -1.2914855480],
        ]
    )
    to_linear = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = (lab @ to_lms.T) ** 3 @ to_linear.T
    curved = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    result: NDArray[np.float64] = np.where(linear <= 0.0031308, 12.92 * linear, curved)
    return result
