"""Bootstrap intervals: how far a figure would move had other paintings of the same kind been measured.

Knows nothing about models or metrics: it resamples sums over paintings, from which nearly every metric follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROUNDS = 1000
_AT_ONCE = 50  # rounds whose weights are in memory together


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its 95 % confidence interval; NaN where there is nothing to measure."""

    value: float
    low: float
    high: float


def resampled_sums(features: Mapping[str, Floats], seed: int = 0, rounds: int = ROUNDS) -> dict[str, Floats]:
    """Sum features (N, K) over the paintings and over `rounds` resamples of them; each to (1 + rounds, K).

    The first row is the sum over the paintings themselves. All features see the same resamples, so that figures
    computed from them can be subtracted painting by painting. Efron, "Bootstrap methods: another look at the
    jackknife", 1979: N paintings are drawn with replacement.
    """
    widths = [columns.shape[1] for columns in features.values()]
    together = np.concatenate(list(features.values()), axis=1)
    count = len(together)
    rng = np.random.default_rng(seed)
    parts = [together.sum(0, keepdims=True)]
    for start in range(0, rounds, _AT_ONCE):
        size = min(_AT_ONCE, rounds - start)
        drawn = rng.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        parts.append(weights @ together)
    sums = np.concatenate(parts)
    return dict(zip(features, np.split(sums, np.cumsum(widths)[:-1], axis=1), strict=True))


def bootstrap_interval(draws: Floats) -> Interval:
    """Give the first of (1 + R,) values with the 95 % percentile interval of the others; NaN draws do not count."""
    resampled = draws[1:][np.isfinite(draws[1:])]
    if not np.isfinite(draws[0]) or not len(resampled):
        return Interval(float("nan"), float("nan"), float("nan"))
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Interval(float(draws[0]), float(low), float(high))
