"""Conformal prediction sets: the classes that hold the true one with a chosen probability; `scores` is (N, C).

Split conformal prediction: Angelopoulos and Bates, "A gentle introduction to conformal prediction and
distribution-free uncertainty quantification", 2021 (arXiv 2107.07511), sections 1 and 2.1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from artnet.metrics.classification import Floats, Ints


def masses_above(scores: Floats) -> Floats:
    """Return, for each class, the sum of the scores ranked before it, (N, C): 0 for the highest, below 1 for all.

    This is the score of adaptive prediction sets without its random part: Romano et al., "Classification with valid
    and adaptive coverage", 2020, equation 5 with U = 0. So an image always has the same set, and a set is never empty.
    Of equal scores the first ranks first.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=1)
    before = np.concatenate([np.zeros((len(scores), 1)), np.cumsum(ranked, axis=1)[:, :-1]], axis=1)
    result = np.empty_like(before)
    np.put_along_axis(result, order, before, axis=1)
    return result


def conformal_quantile(values: Floats, coverage: float, weights: Floats | None = None) -> float:
    """Return the threshold that the value of a new painting does not exceed with probability `coverage`.

    Of N values of equal weight it is the ceil((N + 1) coverage)-th smallest (Angelopoulos and Bates, section 1);
    infinity where they are too few. With weights it holds for new paintings that occur in the proportions that the
    weights restore: Podkopaev and Ramdas, "Distribution-free uncertainty quantification for classification under label
    shift", 2021, section 3.1, where the new painting, whose class nobody knows, has the largest weight.

    Args:
        values: (N,) of paintings that had no part in training
        coverage: 0 to 1
        weights: (N,), by default all alike

    >>> conformal_quantile(np.array([0.1, 0.2, 0.3, 0.4]), 0.6)
    0.3
    """
    if not len(values):
        return math.inf
    order = np.argsort(values, kind="stable")
    shares = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)[order]
    needed = coverage * (shares.sum() + shares.max())
    reached = np.flatnonzero(np.cumsum(shares) >= needed * (1 - 1e-12))
    return float(values[order[reached[0]]]) if len(reached) else math.inf


def prediction_sets(scores: Floats, threshold: float) -> NDArray[np.bool_]:
    """Return which classes are in each set, (N, C): the highest ones, until their sum exceeds the threshold."""
    return masses_above(scores) <= threshold


def true_class_values(y_true: Ints, scores: Floats) -> Floats:
    """Return the mass above each painting's true class, (N,): what `conformal_quantile` is computed from."""
    result: Floats = masses_above(scores)[np.arange(len(y_true)), y_true]
    return result
