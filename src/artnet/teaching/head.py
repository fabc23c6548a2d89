"""A head for labelled images: penalty by grouped cross-validation, temperature and thresholds from unseen images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artnet.metrics.bootstrap import Interval, bootstrap_interval, resampled_sums
from artnet.metrics.classification import softmax
from artnet.metrics.proportion import wilson_interval
from artnet.model.logistic_regression import (
    PENALTY,
    LogisticRegression,
    fit_logistic_regression,
    map_folds,
    out_of_fold_logits,
)
from artnet.model.ood import DIRECTIONS, OodDetector, fit_ood_detector

PENALTIES = (0.001, 0.003, 0.01, 0.03, PENALTY, 0.3, 1.0, 3.0)
_PAINTINGS_PER_DIRECTION = 4  # a covariance of fewer is mostly noise
_MANY = 1000  # a fifth of which is enough for a quantile of 0.975

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class CrossValidated:
    """A head for all images, and what heads that had not seen an image's group say of it.

    Attributes:
        head: fitted to all
        penalty: the best of `PENALTIES`
        logits: (N, C), out of fold
        measured: (N,) whether the class of an image occurs outside its fold, so that it could be recognised
    """

    head: LogisticRegression
    penalty: float
    logits: NDArray[np.float64]
    measured: NDArray[np.bool_]


@dataclass(frozen=True)
class OutOfFoldScores:
    """How well images are recognised by heads that had not seen their group.

    Attributes:
        recalls: by class, in order; NaN for a class that could not be measured
        counts: images of each class, measured or not
    """

    accuracy: Interval
    balanced_accuracy: Interval
    recalls: tuple[Interval, ...]
    counts: tuple[int, ...]


def cross_validate(features: Floats, labels: Ints, classes: int, folds: Ints) -> CrossValidated:
    """Fit a balanced head with the penalty that has the best log loss out of fold.

    The loss has one valley, so the penalties are tried from the middle one downhill alone.

    Args:
        features: (N, E)
        labels: (N,)
        classes: the number C
        folds: (N,)
    """
    measured = np.array([(labels[folds != fold] == label).any() for fold, label in zip(folds, labels, strict=True)])
    outputs: dict[int, NDArray[np.float64]] = {}

    def loss(index: int) -> float:
        outputs[index] = out_of_fold_logits(features, labels, classes, folds, balanced=True, penalty=PENALTIES[index])
        return _balanced_log_loss(labels[measured], outputs[index][measured], classes)

    best = _descend(loss, PENALTIES.index(PENALTY), len(PENALTIES))
    head = fit_logistic_regression(features, labels, classes, balanced=True, penalty=PENALTIES[best])
    return CrossValidated(head, PENALTIES[best], outputs[best], measured)


def measure(validated: CrossValidated, labels: Ints, classes: int) -> OutOfFoldScores:
    """Return accuracies and recalls out of fold with their intervals; recalls have Wilson's, which holds for five."""
    known = validated.measured
    truth, correct = labels[known], (validated.logits.argmax(1) == labels)[known]
    occurs = np.eye(classes)[truth]
    sums = resampled_sums({"hits": occurs * correct[:, None], "occurs": occurs})
    recalls = np.divide(sums["hits"], sums["occurs"], out=np.full_like(sums["hits"], np.nan), where=sums["occurs"] > 0)
    present = np.isfinite(recalls)
    balanced = np.where(present, recalls, 0).sum(1) / np.maximum(present.sum(1), 1)
    return OutOfFoldScores(
        wilson_interval(int(correct.sum()), len(correct)),
        bootstrap_interval(balanced if len(truth) else np.full(2, np.nan)),
        tuple(
            wilson_interval(int(correct[truth == each].sum()), int((truth == each).sum())) for each in range(classes)
        ),
        tuple(np.bincount(labels, minlength=classes).tolist()),
    )


def fit_own_ood_detector(embeddings: Floats, labels: Ints) -> OodDetector:
    """Return a detector with as many directions as so many images can tell from noise."""
    return fit_ood_detector(embeddings, labels, max(1, min(DIRECTIONS, len(embeddings) // _PAINTINGS_PER_DIRECTION)))


def out_of_fold_ood_scores(embeddings: Floats, labels: Ints, folds: Ints) -> NDArray[np.float64]:
    """Return OOD scores of images by detectors that were fitted without their fold; of many images, those of one."""

    def scores(held_out: Bools) -> NDArray[np.float64]:
        detector = fit_own_ood_detector(embeddings[~held_out], labels[~held_out])
        return detector.ood_score(embeddings[held_out])

    return np.concatenate(map_folds(scores, folds, 1 if len(labels) > _MANY else None))


def _balanced_log_loss(labels: Ints, logits: NDArray[np.float64], classes: int) -> float:
    """Return the mean over classes of their images' mean -log(score of the class)."""
    if not len(labels):
        return 0.0
    losses = -np.log(np.maximum(softmax(logits)[np.arange(len(labels)), labels], 1e-12))
    counts = np.bincount(labels, minlength=classes)
    return float((np.bincount(labels, losses, classes)[counts > 0] / counts[counts > 0]).mean())


def _descend(loss: Callable[[int], float], start: int, count: int) -> int:
    """Return the index with the least loss, going from `start` in the direction that lowers it."""
    best, least = start, loss(start)
    for step in (-1, 1):
        while 0 <= best + step < count and (value := loss(best + step)) < least:
            best, least = best + step, value
        if best != start:
            break
    return best
