"""Compare two models on the same paintings: who is right where the other errs.

Knows nothing about models; truths and two sets of scores in, numbers out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artnet.metrics.bootstrap import Interval, bootstrap_interval, resampled_sums
from artnet.metrics.classification import mcnemar_p


@dataclass(frozen=True)
class Comparison:
    """Two models on the same paintings; `difference` is the first's accuracy less the second's.

    `p_value` is McNemar's, exact, from the paintings that only one of them got right.
    """

    first: str
    second: str
    first_accuracy: Interval
    second_accuracy: Interval
    difference: Interval
    both_right: int
    only_first: int
    only_second: int
    neither: int
    p_value: float


def compare(
    names: tuple[str, str],
    y_true: NDArray[np.int64],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
) -> Comparison:
    """Compare scores (N, C) of two models for the same N paintings; the intervals see the same resamples."""
    right = np.stack([scores.argmax(1) == y_true for scores in (first, second)], axis=1)  # (N, 2)
    shares = resampled_sums({"right": right.astype(np.float64)})["right"] / len(y_true)
    only_first, only_second = int((right[:, 0] & ~right[:, 1]).sum()), int((right[:, 1] & ~right[:, 0]).sum())
    return Comparison(
        first=names[0],
        second=names[1],
        first_accuracy=bootstrap_interval(shares[:, 0]),
        second_accuracy=bootstrap_interval(shares[:, 1]),
        difference=bootstrap_interval(shares[:, 0] - shares[:, 1]),
        both_right=int(right.all(1).sum()),
        only_first=only_first,
        only_second=only_second,
        neither=int((~right).all(1).sum()),
        p_value=mcnemar_p(only_first, only_second),
    )
