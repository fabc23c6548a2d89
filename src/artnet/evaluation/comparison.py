"""Paired comparison of two models on the same paintings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artnet.metrics.bootstrap import Interval, bootstrap_interval, resampled_sums
from artnet.metrics.classification import mcnemar_p


@dataclass(frozen=True)
class Comparison:
    """Two models on the same paintings; `difference` is the first's accuracy minus the second's.

    `p_value` is that of McNemar's exact test on the paintings that only one of them predicts correctly.
    """

    first: str
    second: str
    first_accuracy: Interval
    second_accuracy: Interval
    difference: Interval
    both_correct: int
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
    """Compare two models' scores of the same N paintings; all intervals are from the same resamples.

    Args:
        names: The models' names.
        y_true: (N,) indices of the true movements.
        first: (N, C) scores of the first model.
        second: (N, C) scores of the second model.
    """
    correct = np.stack([scores.argmax(1) == y_true for scores in (first, second)], axis=1)  # (N, 2)
    shares = resampled_sums({"correct": correct.astype(np.float64)})["correct"] / len(y_true)
    only_first, only_second = int((correct[:, 0] & ~correct[:, 1]).sum()), int((correct[:, 1] & ~correct[:, 0]).sum())
    return Comparison(
        first=names[0],
        second=names[1],
        first_accuracy=bootstrap_interval(shares[:, 0]),
        second_accuracy=bootstrap_interval(shares[:, 1]),
        difference=bootstrap_interval(shares[:, 0] - shares[:, 1]),
        both_correct=int(correct.all(1).sum()),
        only_first=only_first,
        only_second=only_second,
        neither=int((~correct).all(1).sum()),
        p_value=mcnemar_p(only_first, only_second),
    )
