"""Filters: Gaussian blur, gradient and structure tensor, median and mode.

SciPy has the same and is no dependency of ArtNet. Pillow's blur takes 8 bits, too few for a gradient; its median of
5 x 5 pixels takes fourteen times as long as the one here, its mode of 7 x 7 eight times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Levels = NDArray[np.uint8]
_TRUNCATE = 3.0  # standard deviations, after which a Gaussian is cut off


@dataclass(frozen=True)
class StructureTensor:
    """The three different entries of a symmetric 2 x 2 tensor at each pixel, (H, W) each; x points right, y down."""

    xx: Floats
    xy: Floats
    yy: Floats

    def eigenvalues(self) -> tuple[Floats, Floats]:
        """Return the larger and the smaller eigenvalue at each pixel."""
        mean: Floats = (self.xx + self.yy) / np.float32(2)
        distance: Floats = np.hypot((self.xx - self.yy) / np.float32(2), self.xy)
        return mean + distance, np.maximum(mean - distance, 0)


def gaussian_blur(plane: Floats, sigma: float) -> Floats:
    """Return a plane (H, W) blurred by a Gaussian of `sigma` pixels; beyond its edges the plane goes on unchanged."""
    radius = int(_TRUNCATE * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights = (kernel / kernel.sum()).astype(np.float32)
    return _convolve_rows(_convolve_rows(plane, weights).T, weights).T


def gradient(plane: Floats) -> tuple[Floats, Floats]:
    """Return central differences along x and along y, (H, W) each; at the edges the plane goes on unchanged."""
    padded: Floats = np.pad(plane, 1, mode="edge")
    x: Floats = (padded[1:-1, 2:] - padded[1:-1, :-2]) / np.float32(2)
    y: Floats = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / np.float32(2)
    return x, y


def structure_tensor(planes: Floats, sigma: float, rho: float = 0.0) -> StructureTensor:
    """Return the structure tensor of planes (H, W) or (H, W, K), whose K tensors are added.

    Bigün and Granlund, "Optimal orientation detection of linear symmetry", 1987; of several planes, Di Zenzo, "A note
    on the gradient of a multi-image", 1986.

    Args:
        planes: what varies
        sigma: of the blur before the gradient, in pixels
        rho: of the blur of the tensor, in pixels; none at 0
    """
    channels = planes[..., None] if planes.ndim == 2 else planes
    xx, xy, yy = (np.zeros(planes.shape[:2], np.float32) for _ in range(3))
    for index in range(channels.shape[-1]):
        x, y = gradient(gaussian_blur(channels[..., index], sigma))
        xx, xy, yy = xx + x * x, xy + x * y, yy + y * y
    if rho > 0:
        xx, xy, yy = (gaussian_blur(entry, rho) for entry in (xx, xy, yy))
    return StructureTensor(xx, xy, yy)


def median_filter(pixels: Levels, radius: int) -> Levels:
    """Return the median around each pixel (H, W, 3), channel by channel; beyond the edges the pixels go on unchanged.

    Forgetful selection: of half of the neighbours and one more, neither the least nor the greatest is the median, so
    both are dropped and the next neighbour takes their place (McGuire, "A fast, small-radius GPU median filter", 2008).

    Args:
        pixels: what is filtered
        radius: how far the square neighbourhood reaches in each direction, in pixels, at least 1
    """
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((radius, radius), (radius, radius), (0, 0)), mode="edge")
    places = [(top, left) for top in range(2 * radius + 1) for left in range(2 * radius + 1)]
    neighbours = [padded[top : top + height, left : left + width] for top, left in places]
    count = len(neighbours) // 2 + 2
    candidates = _without_extremes(neighbours[:count])
    for neighbour in neighbours[count:]:
        candidates = _without_extremes([*candidates, neighbour])
    return candidates[0]


def mode_filter(plane: Levels, radius: int) -> Levels:
    """Return the most frequent value around each pixel (H, W), of several the least; beyond the edges nothing counts.

    Args:
        plane: of few different values: the time grows with their number
        radius: how far the square neighbourhood reaches in each direction, in pixels
    """
    mode, most = np.zeros_like(plane), np.zeros(plane.shape, np.uint16)
    for value in np.unique(plane):
        counts = _box_sum(plane == value, radius)
        np.copyto(mode, value, where=counts > most)
        np.maximum(most, counts, out=most)
    return mode


def _without_extremes(values: list[Levels]) -> list[Levels]:
    """Return arrays with, at each pixel, the same values but for the least and the greatest, in another order."""
    values, last = values.copy(), len(values) - 1
    middle = len(values) // 2
    pairs = [(index, last - index) for index in range(middle)]
    pairs += [(0, index) for index in range(1, last - middle + 1)]
    pairs += [(index, last) for index in range(middle, last)]
    for low, high in pairs:
        values[low], values[high] = np.minimum(values[low], values[high]), np.maximum(values[low], values[high])
    return values[1:last]


def _box_sum(mask: NDArray[np.bool_], radius: int) -> NDArray[np.uint16]:
    """Count the true pixels of the square around each pixel."""
    height, width = mask.shape
    padded = np.pad(mask.astype(np.uint16), radius)
    rows = padded[:height].copy()
    for top in range(1, 2 * radius + 1):
        rows += padded[top : top + height]
    counts = rows[:, :width].copy()
    for left in range(1, 2 * radius + 1):
        counts += rows[:, left : left + width]
    return counts


def _convolve_rows(plane: Floats, weights: Floats) -> Floats:
    """Convolve each row with symmetric weights."""
    radius, width = len(weights) // 2, plane.shape[1]
    padded = np.pad(plane, ((0, 0), (radius, radius)), mode="edge")
    total: Floats = weights[radius] * plane
    for offset in range(1, radius + 1):
        left, right = radius - offset, radius + offset
        total += weights[right] * (padded[:, left : left + width] + padded[:, right : right + width])
    return total
