"""Filters of one plane: Gaussian blur, gradient and structure tensor.

SciPy has the same and is no dependency of ArtNet; Pillow's blur takes 8 bits, too few for a gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
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


def _convolve_rows(plane: Floats, weights: Floats) -> Floats:
    """Convolve each row with symmetric weights."""
    radius, width = len(weights) // 2, plane.shape[1]
    padded = np.pad(plane, ((0, 0), (radius, radius)), mode="edge")
    total: Floats = weights[radius] * plane
    for offset in range(1, radius + 1):
        left, right = radius - offset, radius + offset
        total += weights[right] * (padded[:, left : left + width] + padded[:, right : right + width])
    return total
