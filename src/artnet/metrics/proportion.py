"""Confidence intervals of a proportion."""

from __future__ import annotations

import math

from artnet.metrics.bootstrap import Interval

_Z = 1.959964  # of the normal distribution, for 95 %


def wilson_interval(hits: int, count: int) -> Interval:
    """Return hits / count with its 95 % interval, which unlike a bootstrap's is not empty where all or none are hits.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927; NaN where `count` is 0.

    >>> round(wilson_interval(5, 5).low, 3)  # five in five is known to be more than half
    0.566
    """
    if not count:
        return Interval(math.nan, math.nan, math.nan)
    share, square = hits / count, _Z**2 / count
    centre = (share + square / 2) / (1 + square)
    half = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half))
