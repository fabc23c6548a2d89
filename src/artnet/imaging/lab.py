"""CIELAB, the colour space in which lightness, chroma and hue are changed one at a time."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

# Linear sRGB to XYZ under D65, divided by the white point, so that white is (1, 1, 1); IEC 61966-2-1, 1999.
_SRGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITENED = (_SRGB_TO_XYZ / _SRGB_TO_XYZ.sum(1, keepdims=True)).astype(np.float32)
_INVERSE = np.linalg.inv(_SRGB_TO_XYZ / _SRGB_TO_XYZ.sum(1, keepdims=True)).astype(np.float32)
_LINEAR_BELOW = (6 / 29) ** 3  # where the cube root gives way to a line
_SLOPE = (29 / 6) ** 2 / 3
_OFFSET = 4 / 29
_BLOCK = 8192  # colours at a time: what is between stays in the processor's cache, which takes two thirds of the time
_STEPS = 65535  # of the table of levels: a twentieth of a level where it is steepest


def to_lab(pixels: Pixels) -> Floats:
    """Return sRGB pixels (..., 3) in CIELAB: L* 0 to 100, a* green to red, b* blue to yellow.

    CIE 15:2004, section 8.2.1, under D65. Pillow's own goes through a colour profile under D50 and keeps 8 bits, which
    leaves too little for small changes.
    """
    relative = _linear_values().take(pixels) @ _WHITENED.T
    x, y, z = np.moveaxis(np.where(relative > _LINEAR_BELOW, np.cbrt(relative), _SLOPE * relative + _OFFSET), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1).astype(np.float32)


def from_lab(lab: Floats) -> Pixels:
    """Return CIELAB colours (..., 3) as sRGB pixels; what lies outside of sRGB is clipped, channel by channel."""
    pixels = np.empty(lab.shape, np.uint8)
    colours, results = lab.reshape(-1, 3), pixels.reshape(-1, 3)
    for start in range(0, len(colours), _BLOCK):
        results[start : start + _BLOCK] = _block_from_lab(colours[start : start + _BLOCK])
    return pixels


def _block_from_lab(lab: Floats) -> Pixels:
    y = (lab[..., 0] + 16) / 116
    roots = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], -1)
    relative = np.where(roots > 6 / 29, roots**3, (roots - _OFFSET) / _SLOPE)
    linear = np.clip(relative @ _INVERSE.T, 0, 1)
    result: Pixels = _levels()[(linear * _STEPS + 0.5).astype(np.intp)]
    return result


@cache
def _linear_values() -> Floats:
    """Return the linear value of each of the 256 levels; IEC 61966-2-1, 1999."""
    levels = np.arange(256) / 255
    return np.where(levels > 0.04045, ((levels + 0.055) / 1.055) ** 2.4, levels / 12.92).astype(np.float32)


@cache
def _levels() -> Pixels:
    """Return the levels of linear values 0 to 1 in equal steps; looked up, since powers take half of a conversion."""
    linear = np.linspace(0, 1, _STEPS + 1)
    encoded = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    return (255 * encoded + 0.5).astype(np.uint8)
