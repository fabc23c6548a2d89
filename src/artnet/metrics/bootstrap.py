"""Bootstrap intervals: how far a metric would move had other paintings of the same kind been measured.

Sums over paintings are resampled, from which nearly every metric follows; SciPy's bootstrap has no such shortcut. For
what ranks them, `resampled_interval` computes the metric anew each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ROUNDS = 1000
_BLOCK_ROUNDS = 50  # rounds whose weights are in memory together


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its 95 % confidence interval; NaN where there is nothing to measure."""

    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Return whether there was anything to measure."""
        return not np.isnan(self.value)


def resampled_sums(features: Mapping[str, Floats], seed: int = 0, rounds: int = ROUNDS) -> dict[str, Floats]:
    """Return the sums of features over the paintings, and over `rounds` resamples of them with replacement.

    Efron, "Bootstrap methods: another look at the jackknife", 1979. All features see the same resamples, so that
    metrics computed from them can be compared painting by painting.

    Args:
        features: (N, K) values of the N paintings, by name; K may differ
        seed: of the resamples
        rounds: number R of resamples

    Returns:
        (1 + R, K) sums by name; the first row is that of the paintings themselves
    """
    widths = [columns.shape[1] for columns in features.values()]
    together = np.concatenate(list(features.values()), axis=1)
    count = len(together)
    rng = np.random.default_rng(seed)
    blocks = [together.sum(0, keepdims=True)]
    for start in range(0, rounds, _BLOCK_ROUNDS):
        size = min(_BLOCK_ROUNDS, rounds - start)
        sampled = rng.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
        weights = np.bincount(sampled.ravel(), minlength=size * count).reshape(size, count)
        blocks.append(weights @ together)
    sums = np.concatenate(blocks)
    return dict(zip(features, np.split(sums, np.cumsum(widths)[:-1], axis=1), strict=True))


def resampled_interval(metric: Callable[[Ints], float], count: int, seed: int = 0, rounds: int = ROUNDS) -> Interval:
    """Return a metric of `count` paintings with its interval; it is computed from the indices of those drawn."""
    if not count:
        return Interval(float("nan"), float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    values = [metric(np.arange(count)), *(metric(rng.integers(0, count, count)) for _ in range(rounds))]
    return bootstrap_interval(np.array(values, np.float64))


def bootstrap_interval(values: Floats) -> Interval:
    """Return the first of (1 + R,) values with the 95 % percentile interval of the others, NaN left out."""
    resampled = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]) or not len(resampled):
        return Interval(float("nan"), float("nan"), float("nan"))
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Interval(float(values[0]), float(low), float(high))
