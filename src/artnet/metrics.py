"""Pure functions from labels and scores to numbers.

Knows nothing about models, files or movements' names. `y_true` and `y_pred` are (N,) integers, `scores` (N, C)
rows that add up to 1, `logits` (N, C) raw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its confidence interval."""

    value: float
    low: float
    high: float


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


def recalls(matrix: Ints) -> Floats:
    """Give each class's share of right answers (C,); NaN for a class that does not occur."""
    totals = matrix.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Floats = np.where(totals > 0, np.diag(matrix) / totals, np.nan)
    return result


def balanced_accuracy(y_true: Ints, y_pred: Ints, classes: int) -> float:
    """Average the recalls of the classes that occur, 0 to 1: a rare class counts as much as a common one."""
    return float(np.nanmean(recalls(confusion(y_true, y_pred, classes))))


def macro_f1(y_true: Ints, y_pred: Ints, classes: int) -> float:
    """Average the F1 scores of the classes that occur in truth or answer, 0 to 1."""
    matrix = confusion(y_true, y_pred, classes)
    occurring = matrix.sum(0) + matrix.sum(1)
    present = occurring > 0
    return float(np.mean(2 * np.diag(matrix)[present] / occurring[present]))


def top_k_accuracy(y_true: Ints, scores: Floats, k: int) -> float:
    """Give the share of paintings whose truth is among the k best scores, 0 to 1."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float(np.mean((best == y_true[:, None]).any(1)))


def negative_log_likelihood(y_true: Ints, scores: Floats) -> float:
    """Average -log(score of the truth), in nats; lower is better."""
    truth = scores[np.arange(len(y_true)), y_true]
    return float(-np.log(np.maximum(truth, 1e-12)).mean())


def calibration_error(y_true: Ints, scores: Floats, bins: int = 15) -> float:
    """Average |confidence - accuracy| over equally wide bins of confidence, 0 to 1; lower is better.

    The expected calibration error of Guo et al., "On calibration of modern neural networks", 2017, equation 3.
    """
    confidence = scores.max(1)
    right = scores.argmax(1) == y_true
    index = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    count = np.bincount(index, minlength=bins)
    gap = np.bincount(index, confidence - right, minlength=bins)
    return float(np.abs(gap).sum() / max(count.sum(), 1))


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


def bootstrap(statistic: Callable[[Ints], float], count: int, rng: np.random.Generator, rounds: int = 1000) -> Interval:
    """Give a statistic of `count` paintings with its 95 % percentile interval over resampled paintings.

    `statistic` gets the indices of the paintings to use. Efron, "Bootstrap methods", 1979.
    """
    value = statistic(np.arange(count))
    draws = [statistic(rng.integers(0, count, count)) for _ in range(rounds)]
    low, high = np.percentile(draws, [2.5, 97.5])
    return Interval(float(value), float(low), float(high))
