"""Confidence intervals of a proportion."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from artnet.metrics.bootstrap import Interval
from artnet.metrics.classification import Floats

_Z = 1.959964  # of the normal distribution, for 95 %


def wilson_interval(hits: int, count: int) -> Interval:
    """Return hits / count with its 95 % interval, which unlike a bootstrap's is not empty where all or none are hits.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927; NaN where `count` is 0.

    >>> round(wilson_interval(5, 5).low, 3)  # five in five is known to be more than half
    0.566
    """
    if not count:
        return Interval(math.nan, math.nan, math.nan)
    low, high = wilson_bounds(np.array([hits / count]), np.array([count]), _Z)
    return Interval(hits / count, max(0.0, float(low[0])), min(1.0, float(high[0])))


def wilson_bounds(shares: Floats, counts: NDArray[np.number], errors: float) -> tuple[Floats, Floats]:
    """Return Wilson's bounds, so many standard errors below and above, of shares (N,) of counts (N,) above 0."""
    square = errors**2 / counts
    centre = shares + square / 2
    half = errors * np.sqrt(shares * (1 - shares) / counts + square / (4 * counts))
    return (centre - half) / (1 + square), (centre + half) / (1 + square)
