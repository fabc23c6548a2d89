"""Metrics of predicted classes and of scores that rank; `y_true` and `y_pred` are (N,) integers, `scores` (N, C)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> Floats:
    """Return scores that add up to 1 along the last axis; a higher temperature makes them more even."""
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(-1, keepdims=True))
    result: Floats = powers / powers.sum(-1, keepdims=True)
    return result


def sigmoid(logits: NDArray[np.floating]) -> Floats:
    """Return 1 / (1 + exp(-logit)) of each logit, without overflow."""
    result: Floats = np.exp(-np.logaddexp(0.0, -np.asarray(logits, np.float64)))
    return result


def accuracy(y_true: Ints, y_pred: Ints) -> float:
    """Return the share of correct predictions, 0 to 1."""
    return float(np.mean(y_true == y_pred))


def confusion_matrix(y_true: Ints, y_pred: Ints, classes: int) -> Ints:
    """Return the count of each pair of true class (row) and predicted class (column); (C, C)."""
    counts = np.bincount(y_true * classes + y_pred, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def recalls(matrix: NDArray[np.number]) -> Floats:
    """Return each class's recall: (..., C, C) confusion matrices to (..., C), NaN for a class that does not occur."""
    return _ratio(_correct(matrix), matrix.sum(-1))


def precisions(matrix: NDArray[np.number]) -> Floats:
    """Return each class's precision: (..., C, C) confusion matrices to (..., C), NaN for one never predicted."""
    return _ratio(_correct(matrix), matrix.sum(-2))


def f1_scores(matrix: NDArray[np.number]) -> Floats:
    """Return each class's harmonic mean of precision and recall: (..., C, C) confusion matrices to (..., C).

    NaN for a class that neither occurs nor is predicted.
    """
    return _ratio(2 * _correct(matrix), matrix.sum(-1) + matrix.sum(-2))


def _correct(matrix: NDArray[np.number]) -> Floats:
    return np.diagonal(matrix, axis1=-2, axis2=-1).astype(np.float64)


def _ratio(numerator: Floats, denominator: NDArray[np.number]) -> Floats:
    result: Floats = np.divide(numerator, denominator, out=np.full(denominator.shape, np.nan), where=denominator > 0)
    return result


def balanced_accuracy(y_true: Ints, y_pred: Ints, classes: int) -> float:
    """Return the mean recall of the classes that occur, 0 to 1: a rare class counts as much as a common one."""
    return float(np.nanmean(recalls(confusion_matrix(y_true, y_pred, classes))))


def macro_f1(y_true: Ints, y_pred: Ints, classes: int) -> float:
    """Return the mean F1 score of the classes that occur or are predicted, 0 to 1."""
    return float(np.nanmean(f1_scores(confusion_matrix(y_true, y_pred, classes))))


def top_k_accuracy(y_true: Ints, scores: Floats, k: int) -> float:
    """Return the share of paintings whose true class is among the k highest scores, 0 to 1."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float(np.mean((best == y_true[:, None]).any(1)))


def auroc(negatives: NDArray[np.floating], positives: NDArray[np.floating]) -> float:
    """Return the area under the receiver operating characteristic, 0 to 1; NaN where either is empty.

    It is the probability that a positive's value is above a negative's, ties counting half, and is computed from the
    ranks: Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC) curve",
    1982.
    """
    if len(negatives) == 0 or len(positives) == 0:
        return float("nan")
    ordered = np.sort(np.asarray(negatives))
    below = np.searchsorted(ordered, positives, side="left")
    not_above = np.searchsorted(ordered, positives, side="right")
    return float((below + not_above).mean() / (2 * len(ordered)))


def average_precision(positive: NDArray[np.bool_], scores: NDArray[np.floating]) -> float | None:
    """Return the mean precision at which positives are found, the highest scores first; 0 to 1, None without positives.

    The sum over thresholds of precision times the gain in recall: Manning et al., "Introduction to information
    retrieval", 2008, section 8.4. Ties come together, so that their order tells nothing: with all scores alike it is
    the share of positives.

    Args:
        positive: (N,) truth
        scores: (N,)
    """
    if not positive.any():
        return None
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.diff(scores[order]) != 0, True)
    hits, retrieved = np.cumsum(positive[order])[ends], np.arange(1, len(order) + 1)[ends]
    gained = np.diff(hits, prepend=0)
    return float((gained * hits / retrieved).sum() / positive.sum())


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Return the two-sided exact p-value of the hypothesis that two models err equally often.

    McNemar, "Note on the sampling error of the difference between correlated proportions or percentages", 1947, with
    the binomial distribution in place of its approximation: twice the tail of Binomial(b + c, 1/2), at most 1.

    Args:
        only_first: how many paintings only the first model predicted correctly
        only_second: how many only the second
    """
    discordant, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(discordant, count) for count in range(fewer + 1))
    return min(1.0, 2 * tail / 2**discordant) if discordant else 1.0
