"""The calibration of a model, fitted to predictions of paintings that it has not seen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from artnet.metrics.calibration import fit_temperature, negative_log_likelihood, threshold_for_precision
from artnet.metrics.conformal import conformal_quantile, true_class_values
from artnet.model.config import Calibration
from artnet.model.prediction import vote

TARGET_ACCURACY = 0.9  # of the predictions that are not called unsure
SET_COVERAGE = 0.9  # of the prediction sets, to hold the true movement
FAMILIAR_SHARE = 0.975  # of each collection's validation paintings, not to be called unfamiliar
MIN_MOVEMENT = 20  # paintings as which a movement of fewer counts, so that not a few decide alone
MAX_FITTED = 8000  # train paintings that the OOD detector is fitted to; more do not move 128 directions

Floats = NDArray[np.floating]


def fit_calibration(
    logits: Floats,
    shares: Sequence[float],
    y_true: NDArray[np.int64],
    natural: NDArray[np.bool_],
    smoothing: float = 0.0,
) -> Calibration:
    """Fit temperature, confidence threshold and prediction sets, and measure coverage and accuracy at that threshold.

    Temperature scaling as in Guo et al., "On calibration of modern neural networks", 2017, on all paintings: that of
    few, natural ones was worse for every source left out (docs/model.md). All movements count alike for the rest.

    Args:
        logits: (N, V, C)
        shares: each view's weight, V of them
        y_true: (N,)
        natural: (N,) those that resemble what users show; on them are the threshold and the sets fitted
        smoothing: share of each label that is spread over all classes; without it, few paintings that are all
            predicted correctly would make the model entirely sure
    """

    def loss(temperature: float) -> float:
        scores = vote(logits, shares, temperature)
        spread = float(-np.log(np.maximum(scores, 1e-12)).mean())
        return (1 - smoothing) * negative_log_likelihood(y_true, scores) + smoothing * spread

    temperature = round(fit_temperature(loss), 4)
    scores = vote(logits, shares, temperature)
    y_true, scores = y_true[natural], scores[natural]
    weights = movement_weights(y_true)
    found = threshold_for_precision(scores.argmax(1) == y_true, scores.max(1), TARGET_ACCURACY, weights)
    assert found is not None  # validation is not empty
    quantile = conformal_quantile(true_class_values(y_true, scores), SET_COVERAGE, weights)
    return Calibration(
        temperature,
        unsure_below=math.floor(found.value * 1e4) / 1e4,
        coverage=round(found.kept, 4),
        accuracy=round(found.precision, 4),
        target_accuracy=TARGET_ACCURACY,
        set_threshold=min(math.ceil(quantile * 1e4) / 1e4, 1.0) if math.isfinite(quantile) else 1.0,  # 1: all movements
        set_coverage=SET_COVERAGE,
    )


def movement_weights(y_true: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a weight for each painting (N,) that lets all movements count alike, however many there are of each."""
    weights: NDArray[np.float64] = 1 / np.maximum(np.bincount(y_true), MIN_MOVEMENT)[y_true]
    return weights
