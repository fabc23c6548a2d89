"""Score answers: every figure that a report holds, with its interval over paintings.

Knows nothing about models or files; plain functions from truths and scores to numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artnet.metrics.bootstrap import Interval, bootstrap_interval, resampled_sums
from artnet.metrics.calibration import Reliability, calibration_gaps, reliability, risk_coverage
from artnet.metrics.classification import average_precision, f1_scores, precisions, recalls

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_CURVE_POINTS = 100  # of a curve, enough to draw it


@dataclass(frozen=True)
class MovementScores:
    """How well one movement is told: of its `paintings`, and of those `answered` with it."""

    paintings: int
    answered: int
    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True)
class GroupScores:
    """How well a group of paintings (a style, a collection) is answered; `balanced` over the movements it holds."""

    paintings: int
    accuracy: Interval
    balanced_accuracy: Interval


@dataclass(frozen=True)
class StyleScores:
    """How well one fine style is found; `share` of the paintings, which is what drawing lots would score."""

    paintings: int
    share: float
    average_precision: float | None  # None where no painting has the style


@dataclass(frozen=True)
class StyleFigures:
    """How well the second head finds styles, on the `paintings` whose style it knows.

    `mean` of the styles' average precisions and `mean_share` are over the styles that occur.
    """

    paintings: int
    mean: float
    mean_share: float
    by_style: Mapping[str, StyleScores]


@dataclass(frozen=True)
class Calibrated:
    """How far confidence tells accuracy: the expected calibration error and its bins."""

    error: Interval
    bins: Reliability


@dataclass(frozen=True)
class Selective:
    """What is gained by not answering where one is unsure: the curve, and the model's own threshold on it."""

    area: float
    threshold: float
    coverage: Interval
    accuracy: Interval
    curve_coverage: Floats
    curve_accuracy: Floats


def overall(y_true: Ints, scores: Floats) -> dict[str, Interval]:
    """Score all answers together."""
    classes = scores.shape[1]
    truth = scores[np.arange(len(y_true)), y_true]
    second_best = np.argsort(-scores, axis=1, kind="stable")[:, :2]
    sums = resampled_sums(
        {
            "cells": _cells(y_true, scores),
            "top_2": (second_best == y_true[:, None]).any(1, keepdims=True).astype(np.float64),
            "surprise": -np.log(np.maximum(truth, 1e-12))[:, None],
            "gaps": calibration_gaps(y_true, scores),
        }
    )
    matrices = sums["cells"].reshape(-1, classes, classes)
    return {
        "accuracy": bootstrap_interval(_accuracies(matrices)),
        "balanced_accuracy": bootstrap_interval(_mean_known(recalls(matrices))),
        "macro_f1": bootstrap_interval(_mean_known(f1_scores(matrices))),
        "top_2_accuracy": bootstrap_interval(sums["top_2"][:, 0] / len(y_true)),
        "negative_log_likelihood": bootstrap_interval(sums["surprise"][:, 0] / len(y_true)),
        "calibration_error": bootstrap_interval(np.abs(sums["gaps"]).sum(1) / len(y_true)),
    }


def by_movement(y_true: Ints, scores: Floats, movements: Sequence[str]) -> dict[str, MovementScores]:
    """Score each movement."""
    classes = len(movements)
    matrices = resampled_sums({"cells": _cells(y_true, scores)})["cells"].reshape(-1, classes, classes)
    shares = [measure(matrices) for measure in (precisions, recalls, f1_scores)]  # (1 + R, C) each
    return {
        name: MovementScores(
            int(matrices[0, index].sum()),
            int(matrices[0, :, index].sum()),
            *(bootstrap_interval(share[:, index]) for share in shares),
        )
        for index, name in enumerate(movements)
    }


def by_group(y_true: Ints, scores: Floats, groups: Sequence[str]) -> dict[str, GroupScores]:
    """Score each group of paintings by itself, the largest group first."""
    classes = scores.shape[1]
    names, place, counts = np.unique(np.array(groups), return_inverse=True, return_counts=True)
    found = {}
    for index in np.argsort(-counts, kind="stable"):
        chosen = place == index
        cells = resampled_sums({"cells": _cells(y_true[chosen], scores[chosen])})["cells"]
        matrices = cells.reshape(-1, classes, classes)
        found[str(names[index])] = GroupScores(
            int(counts[index]),
            bootstrap_interval(_accuracies(matrices)),
            bootstrap_interval(_mean_known(recalls(matrices))),
        )
    return found


def calibrated(y_true: Ints, scores: Floats) -> Calibrated:
    """Compare confidence with accuracy."""
    gaps = resampled_sums({"gaps": calibration_gaps(y_true, scores)})["gaps"]
    return Calibrated(bootstrap_interval(np.abs(gaps).sum(1) / len(y_true)), reliability(y_true, scores))


def selective(y_true: Ints, scores: Floats, threshold: float) -> Selective:
    """Trace accuracy over coverage and mark what a threshold on confidence gives."""
    curve = risk_coverage(y_true, scores)
    answered = scores.max(1) >= threshold
    right = answered & (scores.argmax(1) == y_true)
    sums = resampled_sums({"both": np.stack([answered, right], axis=1).astype(np.float64)})["both"]
    with np.errstate(invalid="ignore"):
        accuracy = bootstrap_interval(sums[:, 1] / sums[:, 0])
    drawn = np.unique(np.linspace(0, len(curve.coverage) - 1, _CURVE_POINTS).round().astype(np.int64))
    return Selective(
        area=curve.area,
        threshold=threshold,
        coverage=bootstrap_interval(sums[:, 0] / len(y_true)),
        accuracy=accuracy,
        curve_coverage=curve.coverage[drawn],
        curve_accuracy=curve.accuracy[drawn],
    )


def styles_found(found: Ints, scores: Floats, names: Sequence[str]) -> StyleFigures | None:
    """Score styles (N, K) against each painting's place among them (N,); -1 is left out. None where all are."""
    known = found >= 0
    if not known.any():
        return None
    truth, given = found[known], scores[known]
    by_style = {}
    for index, name in enumerate(names):
        positive = truth == index
        precision = average_precision(positive, given[:, index])
        by_style[name] = StyleScores(int(positive.sum()), float(positive.mean()), precision)
    there = [
        (entry.average_precision, entry.share) for entry in by_style.values() if entry.average_precision is not None
    ]
    mean, mean_share = np.mean(there, 0).tolist()
    return StyleFigures(len(truth), mean, mean_share, by_style)


def by_decision(y_true: Ints, scores: Floats, decisions: Sequence[str]) -> dict[str, GroupScores]:
    """Score the answers called confident, unsure and unfamiliar, each by themselves."""
    found: Mapping[str, GroupScores] = by_group(y_true, scores, decisions)
    return {name: found[name] for name in ("confident", "unsure", "unfamiliar") if name in found}


def _cells(y_true: Ints, scores: Floats) -> Floats:
    """Mark each painting's cell of the confusion matrix; (N, C * C). Their sum is the matrix."""
    classes = scores.shape[1]
    cells = np.zeros((len(y_true), classes * classes))
    cells[np.arange(len(y_true)), y_true * classes + scores.argmax(1)] = 1
    return cells


def _accuracies(matrices: Floats) -> Floats:
    result: Floats = np.trace(matrices, axis1=1, axis2=2) / matrices.sum((1, 2))
    return result


def _mean_known(shares: Floats) -> Floats:
    """Average over the classes that occur."""
    known = np.isfinite(shares)
    result: Floats = np.where(known, shares, 0).sum(1) / np.maximum(known.sum(1), 1)
    return result
