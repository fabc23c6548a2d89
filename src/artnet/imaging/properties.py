"""Measured properties of a painting: colour, light, edges and strokes, composition, one number each.

All are measured on the painting stretched to 224 x 224 pixels, as a prepared dataset stores it: a value does not depend
on the size of the file, and that of a prepared view is that of its painting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.imaging.filters import StructureTensor, gaussian_blur, gradient, structure_tensor
from artnet.imaging.lab import to_lab
from artnet.imaging.views import whole_view

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
SIDE_PX = 224
_EDGE_STRENGTH = 4.0  # L* a pixel: what stays of the outlines of a painting, while its canvas falls under it
_EDGE_SIGMA_PX = 1.0
_STROKE_RHO_PX = 3.0  # about the length of a visible stroke
_ORIENTATIONS = 24
_SLOPE_CYCLES = (4, 56)  # per side: below, the composition; above, what JPEG and resampling leave
_WARM_DEGREES = (-30.0, 110.0)  # hue in CIELAB, from crimson over red and orange to yellow
_LEAST_CHROMA = 1.0  # on average: below it a painting is grey, and no hue is warm
_HUE_BINS = 20
_HUE_SHARE = 0.05  # of the most frequent hue, from which on a hue counts


@dataclass(frozen=True)
class Property:
    """What one number says.

    Attributes:
        name: in JSON
        label: on the page
        low: what a low value means
        high: what a high value means
        digits: after the point, when it is printed
    """

    name: str
    label: str
    low: str
    high: str
    digits: int


_PROPERTIES = (
    Property("colourfulness", "colourfulness", "grey", "vivid", 0),
    Property("lightness", "lightness", "dark", "light", 0),
    Property("contrast", "contrast", "even", "strong", 0),
    Property("warm_share", "warm colours", "cold", "warm", 2),
    Property("hue_count", "distinct hues", "few", "many", 0),
    Property("edge_density", "edges", "few", "many", 2),
    Property("stroke_coherence", "stroke coherence", "mixed", "aligned", 2),
    Property("anisotropy", "one direction of all strokes", "none", "one", 2),
    Property("orientation_entropy", "entropy of edge orientations", "one", "all", 2),
    Property("spectral_slope", "spectral slope", "soft", "fine-grained", 2),
    Property("symmetry", "left-right symmetry", "none", "mirrored", 2),
)
PROPERTIES: Mapping[str, Property] = {each.name: each for each in _PROPERTIES}


def measure_properties(image: Image.Image) -> dict[str, float]:
    """Return the value of each of `PROPERTIES`, in their order, of an upright sRGB image of any size."""
    pixels = np.asarray(whole_view(image, SIDE_PX, "stretch").image)
    lab = to_lab(pixels)
    lightness = np.ascontiguousarray(lab[..., 0])
    x, y = gradient(gaussian_blur(lightness, _EDGE_SIGMA_PX))
    return {
        "colourfulness": colourfulness(pixels),
        "lightness": float(lightness.mean()),
        "contrast": float(lightness.std()),
        "warm_share": warm_share(lab),
        "hue_count": float(hue_count(pixels)),
        "edge_density": float((np.hypot(x, y) >= _EDGE_STRENGTH).mean()),
        "stroke_coherence": stroke_coherence(structure_tensor(lightness, _EDGE_SIGMA_PX, _STROKE_RHO_PX)),
        "anisotropy": anisotropy(StructureTensor(x * x, x * y, y * y)),
        "orientation_entropy": orientation_entropy(x, y),
        "spectral_slope": spectral_slope(lightness),
        "symmetry": symmetry(lightness),
    }


def colourfulness(pixels: Pixels) -> float:
    """Return the colourfulness of sRGB pixels (H, W, 3): 0 for grey, about 15 slight, 109 extreme.

    Hasler and Süsstrunk, "Measuring colourfulness in natural images", 2003, equation 1 of section 7: the spread of the
    opponent channels R - G and (R + G) / 2 - B, and 0.3 times the distance of their mean from grey.
    """
    red, green, blue = np.moveaxis(pixels.astype(np.float32), -1, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue])
    spread, distance = opponents.std((1, 2)), opponents.mean((1, 2))
    return float(np.hypot(*spread) + 0.3 * np.hypot(*distance))


def warm_share(lab: Floats) -> float:
    """Return the share of a painting's chroma, (H, W, 3) in CIELAB, that is warm; one half of a grey one."""
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    if chroma.mean() < _LEAST_CHROMA:
        return 0.5
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))
    warm = (hue >= _WARM_DEGREES[0]) & (hue <= _WARM_DEGREES[1])
    return float(chroma[warm].sum() / chroma.sum())


def hue_count(pixels: Pixels) -> int:
    """Return the number of distinct hues, 0 to 20.

    Ke, Tang and Jing, "The design of high-level features for photo quality assessment", 2006, section 3.3: of pixels
    with a saturation over 0.2 and a value of 0.15 to 0.95, those of 20 equal ranges of hue that hold at least 5 % of
    what the fullest holds.
    """
    hue, saturation, value = np.moveaxis(np.asarray(Image.fromarray(pixels).convert("HSV")), -1, 0)
    coloured = (saturation > 0.2 * 255) & (value >= 0.15 * 255) & (value <= 0.95 * 255)
    counts = np.bincount(hue[coloured].astype(np.int64) * _HUE_BINS // 256, minlength=_HUE_BINS)
    return int((counts >= max(_HUE_SHARE * counts.max(), 1)).sum())


def stroke_coherence(tensor: StructureTensor) -> float:
    """Return how well gradients agree with those around them, 0 to 1; 0 without any.

    Coherence of the structure tensor, (l1 - l2) / (l1 + l2), weighted by l1 + l2 (Jähne, "Digital image processing",
    section 13.3).
    """
    larger, smaller = tensor.eigenvalues()
    energy = float((larger + smaller).sum())
    return float((larger - smaller).sum()) / energy if energy > _least_energy(larger.size) else 0.0


def anisotropy(tensor: StructureTensor) -> float:
    """Return how far one orientation outweighs the others in the whole painting, 0 to 1: the coherence of the mean."""
    xx, xy, yy = (float(entry.mean()) for entry in (tensor.xx, tensor.xy, tensor.yy))
    energy = xx + yy
    return float(np.hypot(xx - yy, 2 * xy)) / energy if energy > _least_energy(1) else 0.0


def orientation_entropy(x: Floats, y: Floats) -> float:
    """Return the entropy of the orientations of gradients in bits, 0 to log2(24) = 4.58; 0 without any.

    Redies, Brachmann and Wagemans, "High entropy of edge orientations characterizes visual artworks from diverse
    cultural backgrounds", 2017, first-order entropy: 24 orientations, weighted by the gradient's magnitude.
    """
    weights = np.hypot(x, y).ravel()
    if float((weights**2).sum()) <= _least_energy(weights.size):
        return 0.0
    bins = np.floor(np.mod(np.arctan2(y, x), np.pi) / np.pi * _ORIENTATIONS).astype(np.int64).ravel() % _ORIENTATIONS
    shares = np.bincount(bins, weights, _ORIENTATIONS) / weights.sum(dtype=np.float64)
    present = shares[shares > 0]
    return float(-(present * np.log2(present)).sum())


def spectral_slope(plane: Floats) -> float:
    """Return the slope of the radially averaged power spectrum of a square plane, both on a logarithmic scale.

    Redies, Hasenstein and Denzler, "Fractal-like image statistics in visual art: similarity to natural scenes", 2007:
    about -2 for natural scenes and much graphic art, the lower the softer; 0 for a plane without contrast.
    """
    side = len(plane)
    window = np.hanning(side)
    windowed = (plane - plane.mean(dtype=np.float64)) * window[:, None] * window
    power = np.abs(np.fft.rfft2(windowed)) ** 2
    radius, frequencies = _frequencies(side)
    sums = np.bincount(radius.ravel(), power.ravel(), radius.max() + 1)[frequencies]
    means = sums / np.bincount(radius.ravel())[frequencies]
    if means.min() <= 1e-6:
        return 0.0
    return float(np.polyfit(np.log(frequencies), np.log(means), 1)[0])


def symmetry(plane: Floats) -> float:
    """Return the correlation of a plane with its mirror image, -1 to 1; 1 for a plane without contrast."""
    centred = plane - plane.mean(dtype=np.float64)
    energy = float((centred**2).sum())
    return float((centred * centred[:, ::-1]).sum()) / energy if energy > _least_energy(plane.size) else 1.0


def _least_energy(pixels: int) -> float:
    """Return the sum of squares that rounding alone may leave on so many pixels."""
    return 1e-6 * pixels


@cache
def _frequencies(side: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each coefficient's distance from the origin in whole cycles, and those that the slope is fitted to."""
    rows, columns = np.fft.fftfreq(side, 1 / side), np.fft.rfftfreq(side, 1 / side)
    radius = np.hypot(rows[:, None], columns).round().astype(np.int64)
    return radius, np.arange(_SLOPE_CYCLES[0], _SLOPE_CYCLES[1] + 1)
