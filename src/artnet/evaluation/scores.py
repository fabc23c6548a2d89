"""Scores of a report with their bootstrap intervals, from true movements (N,) and scores (N, C)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artnet.metrics.bootstrap import Interval, bootstrap_interval, resampled_interval, resampled_sums
from artnet.metrics.calibration import Reliability, calibration_gaps, reliability, risk_coverage
from artnet.metrics.classification import average_precision, f1_scores, precisions, recalls

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_CURVE_POINTS = 100  # of a curve, enough to draw it


@dataclass(frozen=True)
class MovementScores:
    """Scores of one movement: `paintings` are of it, `predicted` are predicted as it."""

    paintings: int
    predicted: int
    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True)
class GroupScores:
    """Scores of a group of paintings, as a style; the balanced accuracy is over the movements that occur in it."""

    paintings: int
    accuracy: Interval
    balanced_accuracy: Interval


@dataclass(frozen=True)
class StyleScores:
    """Scores of one fine style; `share` of the paintings have it, the average precision of random scores.

    `low` and `high` are the ends of the average precision's interval. `shown` paintings have a score at or above the
    style's threshold, and `precision` of these have the style.
    """

    paintings: int
    share: float
    average_precision: float | None  # None where no painting has the style
    low: float | None
    high: float | None
    shown: int
    precision: Interval


@dataclass(frozen=True)
class StyleReport:
    """Scores of the second head, on the `paintings` whose style it knows.

    `mean`, of the average precisions, and `mean_share` are over the styles that occur.
    """

    paintings: int
    mean: float
    mean_share: float
    by_style: Mapping[str, StyleScores]


@dataclass(frozen=True)
class CalibrationScores:
    """The expected calibration error and the bins of the reliability diagram."""

    error: Interval
    bins: Reliability


@dataclass(frozen=True)
class SelectiveScores:
    """Accuracy over coverage, as predictions below a confidence are dropped, and at the model's own `threshold`.

    `area` is the area under risk over coverage (AURC), 0 to 1; lower is better.
    """

    area: float
    threshold: float
    coverage: Interval
    accuracy: Interval
    curve_coverage: Floats
    curve_accuracy: Floats


@dataclass(frozen=True)
class SetScores:
    """Prediction sets of some paintings: the share that holds the true movement, and the mean number of movements."""

    paintings: int
    coverage: Interval
    size: Interval


@dataclass(frozen=True)
class SetReport:
    """Prediction sets; `target` is the coverage that they were made for, `sizes[n - 1]` counts those of n movements."""

    target: float | None
    overall: SetScores
    by_movement: Mapping[str, SetScores]
    by_collection: Mapping[str, SetScores]
    sizes: tuple[int, ...]


def overall(y_true: Ints, scores: Floats) -> dict[str, Interval]:
    """Return the scores of all predictions together, by name."""
    classes = scores.shape[1]
    truth = scores[np.arange(len(y_true)), y_true]
    two_best = np.argsort(-scores, axis=1, kind="stable")[:, :2]
    sums = resampled_sums(
        {
            "cells": _cells(y_true, scores),
            "top_2": (two_best == y_true[:, None]).any(1, keepdims=True).astype(np.float64),
            "log_loss": -np.log(np.maximum(truth, 1e-12))[:, None],
            "gaps": calibration_gaps(y_true, scores),
        }
    )
    matrices = sums["cells"].reshape(-1, classes, classes)
    return {
        "accuracy": bootstrap_interval(_accuracies(matrices)),
        "balanced_accuracy": bootstrap_interval(_mean_known(recalls(matrices))),
        "macro_f1": bootstrap_interval(_mean_known(f1_scores(matrices))),
        "top_2_accuracy": bootstrap_interval(sums["top_2"][:, 0] / len(y_true)),
        "negative_log_likelihood": bootstrap_interval(sums["log_loss"][:, 0] / len(y_true)),
        "calibration_error": bootstrap_interval(np.abs(sums["gaps"]).sum(1) / len(y_true)),
    }


def by_movement(y_true: Ints, scores: Floats, movements: Sequence[str]) -> dict[str, MovementScores]:
    """Return each movement's scores."""
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
    """Return the scores of each group; `groups` (N,) names each painting's. The largest group comes first."""
    classes = scores.shape[1]
    names, group, counts = np.unique(np.array(groups), return_inverse=True, return_counts=True)
    result = {}
    for index in np.argsort(-counts, kind="stable"):
        members = group == index
        cells = resampled_sums({"cells": _cells(y_true[members], scores[members])})["cells"]
        matrices = cells.reshape(-1, classes, classes)
        result[str(names[index])] = GroupScores(
            int(counts[index]),
            bootstrap_interval(_accuracies(matrices)),
            bootstrap_interval(_mean_known(recalls(matrices))),
        )
    return result


def calibration_scores(y_true: Ints, scores: Floats) -> CalibrationScores:
    """Return how far confidence and accuracy lie apart."""
    gaps = resampled_sums({"gaps": calibration_gaps(y_true, scores)})["gaps"]
    return CalibrationScores(bootstrap_interval(np.abs(gaps).sum(1) / len(y_true)), reliability(y_true, scores))


def selective(y_true: Ints, scores: Floats, threshold: float) -> SelectiveScores:
    """Return accuracy over coverage, and both at a threshold on confidence."""
    curve = risk_coverage(y_true, scores)
    kept = scores.max(1) >= threshold
    correct = kept & (scores.argmax(1) == y_true)
    sums = resampled_sums({"both": np.stack([kept, correct], axis=1).astype(np.float64)})["both"]
    with np.errstate(invalid="ignore"):
        accuracy = bootstrap_interval(sums[:, 1] / sums[:, 0])
    points = np.unique(np.linspace(0, len(curve.coverage) - 1, _CURVE_POINTS).round().astype(np.int64))
    return SelectiveScores(
        area=curve.area,
        threshold=threshold,
        coverage=bootstrap_interval(sums[:, 0] / len(y_true)),
        accuracy=accuracy,
        curve_coverage=curve.coverage[points],
        curve_accuracy=curve.accuracy[points],
    )


def set_report(
    y_true: Ints, sets: NDArray[np.bool_], movements: Sequence[str], collections: Sequence[str], target: float | None
) -> SetReport:
    """Return the coverage and the size of prediction sets.

    Args:
        y_true: (N,)
        sets: (N, C), whether the set of a painting holds a movement
        movements: (C,) names
        collections: (N,)
        target: coverage that the sets were made for
    """
    sizes = sets.sum(1)
    rows = np.stack([sets[np.arange(len(y_true)), y_true], sizes], axis=1).astype(np.float64)
    return SetReport(
        target=target,
        overall=_set_scores(rows),
        by_movement={name: _set_scores(rows[y_true == index]) for index, name in enumerate(movements)},
        by_collection={str(name): _set_scores(rows[np.array(collections) == name]) for name in np.unique(collections)},
        sizes=tuple(np.bincount(sizes, minlength=sets.shape[1] + 1)[1:].tolist()),
    )


def _set_scores(rows: Floats) -> SetScores:
    """Score sets given as (N, 2): whether they hold the true movement, and how many they hold."""
    if not len(rows):
        return SetScores(0, *(bootstrap_interval(np.full(1, np.nan)),) * 2)
    means = resampled_sums({"rows": rows})["rows"] / len(rows)
    return SetScores(len(rows), bootstrap_interval(means[:, 0]), bootstrap_interval(means[:, 1]))


def style_report(y_true: Ints, scores: Floats, shown: NDArray[np.bool_], names: Sequence[str]) -> StyleReport | None:
    """Return the scores of fine styles, or None if no painting's style is known.

    Args:
        y_true: (N,) indices of the paintings' styles among `names`; those with -1 are left out.
        scores: (N, K), 0 to 1 each.
        shown: (N, K), whether a style is called likely.
        names: (K,)
    """
    known = y_true >= 0
    if not known.any():
        return None
    y_true, scores, shown = y_true[known], scores[known], shown[known]
    by_style = {
        name: _style_scores(y_true == index, scores[:, index], shown[:, index]) for index, name in enumerate(names)
    }
    occurring = [
        (entry.average_precision, entry.share) for entry in by_style.values() if entry.average_precision is not None
    ]
    mean, mean_share = np.mean(occurring, 0).tolist()
    return StyleReport(len(y_true), mean, mean_share, by_style)


def _style_scores(positive: NDArray[np.bool_], scores: Floats, shown: NDArray[np.bool_]) -> StyleScores:
    precision = resampled_interval(
        lambda rows: value if (value := average_precision(positive[rows], scores[rows])) is not None else np.nan,
        len(scores) if positive.any() else 0,
    )
    known = math.isfinite(precision.value)
    hits = resampled_sums({"both": np.stack([shown, shown & positive], axis=1).astype(np.float64)})["both"]
    with np.errstate(invalid="ignore"):
        shares = bootstrap_interval(hits[:, 1] / hits[:, 0])
    low, high = (precision.low, precision.high) if known else (None, None)
    value = precision.value if known else None
    return StyleScores(int(positive.sum()), float(positive.mean()), value, low, high, int(shown.sum()), shares)


def by_decision(y_true: Ints, scores: Floats, decisions: Sequence[str]) -> dict[str, GroupScores]:
    """Return the scores of the predictions of each decision, in the order of trust."""
    groups = by_group(y_true, scores, decisions)
    return {name: groups[name] for name in ("confident", "unsure", "unfamiliar") if name in groups}


def _cells(y_true: Ints, scores: Floats) -> Floats:
    """Return each painting's cell of the confusion matrix, one-hot (N, C * C); their sum is the matrix."""
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
