"""Pure functions from labels and scores to numbers.

Knows nothing about models, files or movements' names. `y_true` and `y_pred` are (N,) integers, `scores` (N, C)
rows that add up to 1, `logits` (N, C) raw.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reliability:
    """Answers sorted into equally wide bins of confidence: (B,) counts, mean confidence and accuracy (NaN if empty)."""

    counts: Ints
    confidence: Floats
    accuracy: Floats


@dataclass(frozen=True)
class RiskCoverage:
    """Selective answers: answering the surest `coverage` of the paintings gets `accuracy` of them right; (P,) each.

    `area` is the area under risk = 1 - accuracy over coverage, 0 to 1; lower is better.
    """

    coverage: Floats
    accuracy: Floats
    area: float


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> Floats:
    """Turn logits (..., C) into scores that add up to 1; a higher temperature makes them more even."""
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(-1, keepdims=True))
    result: Floats = powers / powers.sum(-1, keepdims=True)
    return result


def accuracy(y_true: Ints, y_pred: Ints) -> float:
    """Give the share of right answers, 0 to 1."""
    return float(np.mean(y_true == y_pred))


def confusion(y_true: Ints, y_pred: Ints, classes: int) -> Ints:
    """Count answers: row = truth, column = answer; (C, C)."""
    counts = np.bincount(y_true * classes + y_pred, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def recalls(matrix: NDArray[np.number]) -> Floats:
    """Give each class's share of right answers; (..., C, C) to (..., C), NaN for a class that does not occur."""
    return _share(_right(matrix), matrix.sum(-1))


def precisions(matrix: NDArray[np.number]) -> Floats:
    """Give the share of right ones among each class's answers; (..., C, C) to (..., C), NaN for one never answered."""
    return _share(_right(matrix), matrix.sum(-2))


def f1_scores(matrix: NDArray[np.number]) -> Floats:
    """Give each class's harmonic mean of precision and recall; (..., C, C) to (..., C).

    NaN for a class that occurs neither in truth nor in answer.
    """
    return _share(2 * _right(matrix), matrix.sum(-1) + matrix.sum(-2))


def _right(matrix: NDArray[np.number]) -> Floats:
    return np.diagonal(matrix, axis1=-2, axis2=-1).astype(np.float64)


def _share(part: Floats, whole: NDArray[np.number]) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Floats = np.where(whole > 0, part / whole, np.nan)
    return result


def balanced_accuracy(y_true: Ints, y_pred: Ints, classes: int) -> float:
    """Average the recalls of the classes that occur, 0 to 1: a rare class counts as much as a common one."""
    return float(np.nanmean(recalls(confusion(y_true, y_pred, classes))))


def macro_f1(y_true: Ints, y_pred: Ints, classes: int) -> float:
    """Average the F1 scores of the classes that occur in truth or answer, 0 to 1."""
    return float(np.nanmean(f1_scores(confusion(y_true, y_pred, classes))))


def top_k_accuracy(y_true: Ints, scores: Floats, k: int) -> float:
    """Give the share of paintings whose truth is among the k best scores, 0 to 1."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float(np.mean((best == y_true[:, None]).any(1)))


def negative_log_likelihood(y_true: Ints, scores: Floats) -> float:
    """Average -log(score of the truth), in nats; lower is better."""
    truth = scores[np.arange(len(y_true)), y_true]
    return float(-np.log(np.maximum(truth, 1e-12)).mean())


def calibration_gaps(y_true: Ints, scores: Floats, bins: int = 15) -> Floats:
    """Put confidence - right of each painting into its bin of confidence; (N, bins), zero elsewhere."""
    confidence = scores.max(1)
    gaps = np.zeros((len(y_true), bins))
    gaps[np.arange(len(y_true)), _bins(confidence, bins)] = confidence - (scores.argmax(1) == y_true)
    return gaps


def calibration_error(y_true: Ints, scores: Floats, bins: int = 15) -> float:
    """Average |confidence - accuracy| over equally wide bins of confidence, 0 to 1; lower is better.

    The expected calibration error of Guo et al., "On calibration of modern neural networks", 2017, equation 3.
    """
    return float(np.abs(calibration_gaps(y_true, scores, bins).sum(0)).sum() / max(len(y_true), 1))


def reliability(y_true: Ints, scores: Floats, bins: int = 15) -> Reliability:
    """Compare confidence with accuracy bin by bin, as reliability diagrams show it (Guo et al. 2017, section 2)."""
    confidence = scores.max(1)
    index = _bins(confidence, bins)
    counts = np.bincount(index, minlength=bins).astype(np.int64)
    right = (scores.argmax(1) == y_true).astype(np.float64)
    shares = [_share(np.bincount(index, values, bins).astype(np.float64), counts) for values in (confidence, right)]
    return Reliability(counts, *shares)


def _bins(confidence: Floats, bins: int) -> Ints:
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


def fit_temperature(loss: Callable[[float], float]) -> float:
    """Find the temperature, 0.05 to 20, with the smallest loss, by golden-section search on its logarithm.

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


def confidence_for_accuracy(y_true: Ints, scores: Floats, wanted: float) -> float:
    """Find the lowest confidence at which those answered from there upwards reach the wanted accuracy.

    0 when all answers together reach it, 1 when none do. This is the threshold of selective classification:
    El-Yaniv and Wiener, "On the foundations of noise-free selective classification", 2010.
    """
    confidence = scores.max(1)
    order = np.argsort(-confidence, kind="stable")
    right = (scores.argmax(1) == y_true)[order]
    answered = np.arange(1, len(order) + 1)
    ends = np.diff(confidence[order], append=-1) < 0  # equally confident answers stand or fall together
    good = np.flatnonzero(ends & (np.cumsum(right) / answered >= wanted))
    if len(good) == 0:
        return 1.0
    last = int(good[-1])
    return 0.0 if last == len(order) - 1 else float(confidence[order[last]])


def risk_coverage(y_true: Ints, scores: Floats) -> RiskCoverage:
    """Trace accuracy over coverage, answering the surest paintings first; equally sure ones come together.

    Geifman and El-Yaniv, "Selective classification for deep neural networks", 2017, equations 1 and 2; the area as
    in Geifman et al., "Bias-reduced uncertainty estimation for deep neural classifiers", 2019, section 3: the mean
    risk over the coverages 1/N to 1.
    """
    confidence = scores.max(1)
    order = np.argsort(-confidence, kind="stable")
    right = np.cumsum((scores.argmax(1) == y_true)[order])
    answered = np.arange(1, len(order) + 1)
    ends = np.append(np.diff(confidence[order]) != 0, True)  # one threshold cannot part equals
    coverage, share = answered[ends] / len(order), right[ends] / answered[ends]
    steps = np.diff(coverage, prepend=0.0)
    return RiskCoverage(coverage, share, float(((1 - share) * steps).sum()))


def auroc(negatives: NDArray[np.floating], positives: NDArray[np.floating]) -> float:
    """Give the chance that a positive's value is above a negative's, equals counting half; 0 to 1.

    The area under the receiver operating characteristic, from the ranks: Hanley and McNeil, "The meaning and use of
    the area under a receiver operating characteristic (ROC) curve", 1982. NaN where either is empty.
    """
    if len(negatives) == 0 or len(positives) == 0:
        return float("nan")
    ordered = np.sort(np.asarray(negatives))
    below = np.searchsorted(ordered, positives, side="left")
    not_above = np.searchsorted(ordered, positives, side="right")
    return float((below + not_above).mean() / (2 * len(ordered)))


def sigmoid(logits: NDArray[np.floating]) -> Floats:
    """Turn logits of any shape into scores, 0 to 1, each for itself."""
    result: Floats = np.exp(-np.logaddexp(0.0, -np.asarray(logits, np.float64)))
    return result


def average_precision(positive: NDArray[np.bool_], scores: NDArray[np.floating]) -> float | None:
    """Give the mean precision at which positives are found, the highest scores first; (N,) each, 0 to 1.

    The sum over thresholds of precision times what recall gains: Manning et al., "Introduction to information
    retrieval", 2008, section 8.4. Equal scores come together, so that their order tells nothing: with all alike it is
    the share of positives. None where there are no positives.
    """
    if not positive.any():
        return None
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.diff(scores[order]) != 0, True)
    found, answered = np.cumsum(positive[order])[ends], np.arange(1, len(order) + 1)[ends]
    gained = np.diff(found, prepend=0)
    return float((gained * found / answered).sum() / positive.sum())


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Give the two-sided exact p-value that two models err equally often, from the paintings only one got right.

    McNemar, "Note on the sampling error of the difference between correlated proportions or percentages", 1947, with
    the binomial distribution in place of its approximation: twice the tail of Binomial(b + c, 1/2), at most 1.
    """
    discordant, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(discordant, count) for count in range(fewer + 1))
    return min(1.0, 2 * tail / 2**discordant) if discordant else 1.0
