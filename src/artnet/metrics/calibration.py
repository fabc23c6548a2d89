"""Calibration and selective prediction; `y_true` is (N,) integers, `scores` (N, C) rows that add up to 1.

The confidence of a prediction is its highest score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artnet.metrics.classification import Floats, Ints
from artnet.metrics.proportion import wilson_bounds


@dataclass(frozen=True)
class Reliability:
    """Predictions in B equally wide bins of confidence: (B,) counts, mean confidence and accuracy (NaN if empty)."""

    counts: Ints
    confidence: Floats
    accuracy: Floats


@dataclass(frozen=True)
class RiskCoverage:
    """Selective prediction: (P,) each, of the most confident share `coverage` the share `accuracy` is correct.

    `area` is the area under risk = 1 - accuracy over coverage, 0 to 1; lower is better.
    """

    coverage: Floats
    accuracy: Floats
    area: float


def negative_log_likelihood(y_true: Ints, scores: Floats) -> float:
    """Return the mean of -log(score of the true class), in nats; lower is better."""
    truth = scores[np.arange(len(y_true)), y_true]
    return float(-np.log(np.maximum(truth, 1e-12)).mean())


def calibration_gaps(y_true: Ints, scores: Floats, bins: int = 15) -> Floats:
    """Return confidence - correctness of each painting in its bin of confidence, zero elsewhere; (N, bins)."""
    confidence = scores.max(1)
    gaps = np.zeros((len(y_true), bins))
    gaps[np.arange(len(y_true)), _bins(confidence, bins)] = confidence - (scores.argmax(1) == y_true)
    return gaps


def calibration_error(y_true: Ints, scores: Floats, bins: int = 15) -> float:
    """Return the mean |confidence - accuracy| over equally wide bins of confidence, 0 to 1; lower is better.

    The expected calibration error of Guo et al., "On calibration of modern neural networks", 2017, equation 3.
    """
    return float(np.abs(calibration_gaps(y_true, scores, bins).sum(0)).sum() / max(len(y_true), 1))


def reliability(y_true: Ints, scores: Floats, bins: int = 15) -> Reliability:
    """Return what a reliability diagram shows: confidence against accuracy, bin by bin (Guo et al. 2017, section 2)."""
    confidence = scores.max(1)
    index = _bins(confidence, bins)
    counts = np.bincount(index, minlength=bins).astype(np.int64)

    def mean(values: Floats) -> Floats:
        sums = np.bincount(index, values, bins)
        result: Floats = np.divide(sums, counts, out=np.full(bins, np.nan), where=counts > 0)
        return result

    return Reliability(counts, mean(confidence), mean((scores.argmax(1) == y_true).astype(np.float64)))


def _bins(confidence: Floats, bins: int) -> Ints:
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


def fit_temperature(loss: Callable[[float], float]) -> float:
    """Return the temperature, 0.05 to 20, with the smallest loss, by golden-section search on its logarithm.

    With the negative log-likelihood on validation as loss this is temperature scaling: Guo et al. 2017,
    section 4.2.
    """
    low, high = np.log(0.05), np.log(20.0)
    golden = (np.sqrt(5) - 1) / 2
    while high - low > 1e-4:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(float(np.exp(left))) < loss(float(np.exp(right))):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


@dataclass(frozen=True)
class Threshold:
    """A threshold of scores: the share `kept` reaches it, `precision` of that is correct, with caution only `bound`."""

    value: float
    kept: float
    precision: float
    bound: float


def threshold_for_precision(
    correct: NDArray[np.bool_], scores: Floats, target: float, weights: Floats | None = None
) -> Threshold | None:
    """Return the lowest threshold at which those kept are correct in a share of `target` with some certainty.

    This is the threshold of selective classification: Geifman and El-Yaniv, "Selective classification for deep neural
    networks", 2017, section 3, with the bound of `precision_bounds` in place of the binomial tail. Where no threshold
    reaches the target it is the one with the highest bound; None where there is nothing to keep.

    Args:
        correct: (N,)
        scores: (N,)
        target: 0 to 1
        weights: (N,), by default all alike
    """
    if not len(scores):
        return None
    curve = precision_bounds(correct, scores, np.ones(len(scores)) if weights is None else weights)
    reaching = [point for point in curve if point.bound >= target]
    return reaching[-1] if reaching else max(curve, key=lambda point: point.bound)


def precision_bounds(correct: NDArray[np.bool_], scores: Floats, weights: Floats) -> list[Threshold]:
    """Return every threshold that parts the scores, from the highest, with a lower bound of its precision.

    The bound is Wilson's, one standard error below. Weighted paintings count as their effective number, (sum of
    weights)^2 / sum of squares (Kish, "Survey sampling", 1965, section 11.7).
    """
    order = np.argsort(-scores, kind="stable")
    shares = weights[order]
    kept, hits = np.cumsum(shares), np.cumsum(shares * correct[order])
    precision, count = hits / kept, kept**2 / np.cumsum(shares**2)
    bound = wilson_bounds(precision, count, 1)[0]
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # ties are kept or left out together
    columns = (scores[order], kept / kept[-1], precision, bound)
    return [Threshold(*row) for row in np.stack(columns, axis=1)[ends].tolist()]


def risk_coverage(y_true: Ints, scores: Floats) -> RiskCoverage:
    """Return accuracy over coverage, the most confident predictions first; ties come together.

    Geifman and El-Yaniv, "Selective classification for deep neural networks", 2017, equations 1 and 2; the area as
    in Geifman et al., "Bias-reduced uncertainty estimation for deep neural classifiers", 2019, section 3: the mean
    risk over the coverages 1/N to 1.
    """
    confidence = scores.max(1)
    order = np.argsort(-confidence, kind="stable")
    correct = np.cumsum((scores.argmax(1) == y_true)[order])
    kept = np.arange(1, len(order) + 1)
    ends = np.append(np.diff(confidence[order]) != 0, True)  # one threshold cannot part ties
    coverage, share = kept[ends] / len(order), correct[ends] / kept[ends]
    steps = np.diff(coverage, prepend=0.0)
    return RiskCoverage(coverage, share, float(((1 - share) * steps).sum()))
