"""The most confident errors of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from artnet.evaluation.predictions import ScoredSplit

MOST_LISTED = 50


@dataclass(frozen=True)
class WorstError:
    """A painting whose prediction is not its true movement."""

    id: str
    source: str
    style: str
    truth: str
    prediction: str
    confidence: float


def worst_errors(scored: ScoredSplit, movements: Sequence[str], count: int = MOST_LISTED) -> tuple[WorstError, ...]:
    """Return the errors of highest confidence, the most confident first."""
    predictions = scored.predictions
    y_pred, confidence = scored.scores.argmax(1), scored.scores.max(1)
    wrong = np.flatnonzero(y_pred != predictions.y_true)
    order = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    return tuple(
        WorstError(
            id=predictions.ids[row],
            source=predictions.sources[row],
            style=predictions.styles[row],
            truth=movements[predictions.y_true[row]],
            prediction=movements[y_pred[row]],
            confidence=float(confidence[row]),
        )
        for row in order
    )
