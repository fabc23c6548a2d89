"""Model fruit and a jug as distances: how far a point is from the surface, negative inside.

Points are (..., 3) as right, up, towards the viewer; y = 0 is the table.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from fields import Array

Distance = Callable[[Array], Array]


@dataclass(frozen=True)
class Thing:
    """One form: where its foot stands, its distance function, its colours and its shine."""

    foot: tuple[float, float, float]
    distance: Distance
    tones: tuple[tuple[float, str], ...]
    gloss: float = 0.25


def ball(radius: float, stretch: tuple[float, float, float] = (1, 1, 1)) -> Distance:
    """Return a sphere, or an ellipsoid, resting on the table."""
    axes = np.array(stretch, np.float32) * radius
    rise = np.array([0, axes[1], 0], np.float32)

    def distance(p: Array) -> Array:
        near = (p - rise) / axes
        reach = np.linalg.norm(near, axis=-1)
        return reach * (reach - 1) / (np.linalg.norm(near / axes, axis=-1) + 1e-6)

    return distance


def apple(radius: float) -> Distance:
    """Return a ring so fat that only dimples are left of its hole, with a stalk."""

    def distance(p: Array) -> Array:
        y = p[..., 1] - radius * 0.68
        out = np.hypot(p[..., 0], p[..., 2])
        flesh = np.hypot(out - radius * 0.34, y * (1.0 + 0.06 * np.sign(y))) - radius * 0.68
        bend = np.hypot(p[..., 0] - 0.35 * (y - 0.1), p[..., 2])
        stalk = np.maximum(bend - 0.014, np.abs(y - radius * 0.62) - radius * 0.32)
        return np.minimum(flesh, stalk)

    return distance


def pear(p: Array) -> Array:
    """Return two balls run together, leaning, with a stalk."""
    x = p[..., 0] + 0.12 * np.clip(p[..., 1] - 0.3, 0, 1)
    out2 = x**2 + p[..., 2] ** 2
    low = np.sqrt(out2 + (p[..., 1] - 0.29) ** 2) - 0.29
    high = np.sqrt(out2 + (p[..., 1] - 0.64) ** 2) - 0.14
    share = np.clip(0.5 + (high - low) / 0.5, 0, 1)
    flesh = high + (low - high) * share - 0.25 * share * (1 - share)
    stalk = np.maximum(
        np.sqrt((x - 0.25 * (p[..., 1] - 0.78)) ** 2 + p[..., 2] ** 2) - 0.015,
        np.abs(p[..., 1] - 0.86) - 0.09,
    )
    return np.minimum(flesh, stalk) * 0.85


def jug(p: Array) -> Array:
    """Return a turned jug with a rim, a spout and a handle."""
    y = p[..., 1]
    out = np.hypot(p[..., 0], p[..., 2])
    lip = np.clip((y - 1.12) / 0.2, 0, 1) * np.clip(-p[..., 0] * 4, 0, 1) * 0.06
    radius = np.interp(y, JUG_HEIGHTS, JUG_RADII).astype(np.float32) + lip
    wall = np.maximum(np.abs(out - radius + 0.02) - 0.02, np.abs(y - 0.66) - 0.66)
    full = np.maximum(out - radius, np.abs(y - 0.58) - 0.58)
    u, v = (p[..., 0] - 0.36) / 0.27, (y - 0.86) / 0.32
    handle = np.sqrt(((np.hypot(u, v) - 1) * 0.27) ** 2 + p[..., 2] ** 2) - 0.042
    return np.minimum(np.minimum(wall, full) * 0.7, handle * 0.8)


JUG_HEIGHTS = np.linspace(0, 1.34, 60)
JUG_RADII = np.interp(
    JUG_HEIGHTS,
    [0, 0.05, 0.2, 0.45, 0.7, 0.9, 1.05, 1.2, 1.34],
    [0.25, 0.26, 0.37, 0.44, 0.38, 0.26, 0.2, 0.21, 0.26],
)
JUG_RADII = np.convolve(np.pad(JUG_RADII, 4, mode="edge"), np.hanning(11)[1:-1] / np.hanning(11).sum(), "valid")


def bunch(p: Array) -> Array:
    """Return the grapes, heaped towards the middle of the bunch."""
    best = np.full(p.shape[:-1], 9.0, np.float32)
    for x, y, z in GRAPES:
        best = np.minimum(best, np.sqrt((p[..., 0] - x) ** 2 + (p[..., 1] - y) ** 2 + (p[..., 2] - z) ** 2) - 0.094)
    return best


ROWS = [(i * 0.155 + 0.075 * (j % 2) - 0.32, j * 0.135 - 0.2) for j in range(4) for i in range(5 - j)]
GRAPES = [(x, 0.094, z) for x, z in ROWS]
GRAPES += [(x + 0.08, 0.22, z + 0.07) for x, z in ROWS if z < 0.1 and -0.3 < x < 0.2]


def bounded(distance: Distance, height: float, reach: float) -> Distance:
    """Spare the exact distance wherever a ball round the thing is far enough."""

    def quick(p: Array) -> Array:
        rough = np.sqrt(p[..., 0] ** 2 + (p[..., 1] - height) ** 2 + p[..., 2] ** 2) - reach
        near = rough < 0.15
        rough[near] = distance(p[near])
        return rough

    return quick


def nearest(things: list[Thing], points: Array) -> tuple[Array, np.ndarray]:
    """Return the distance to the nearest thing, and which it is."""
    best, which = np.full(points.shape[:-1], 9.0, np.float32), np.zeros(points.shape[:-1], np.int16)
    for number, thing in enumerate(things):
        distance = thing.distance(points - np.array(thing.foot, np.float32))
        which = np.where(distance < best, number, which)
        best = np.minimum(distance, best)
    return best, which
