"""The most confident errors."""

from __future__ import annotations

import numpy as np

from artnet.evaluation.predictions import ScoredSplit, SplitPredictions
from artnet.evaluation.worst_errors import worst_errors

PREDICTIONS = SplitPredictions(
    tuple("abcd"), tuple("abcd"), ("s",) * 4, np.array([0, 0, 1, 1]), ("whole",), np.zeros((4, 1, 2), np.float32)
)
SCORES = np.array([[0.4, 0.6], [0.1, 0.9], [0.2, 0.8], [0.7, 0.3]])
SCORED = ScoredSplit(PREDICTIONS, SCORES, ("confident",) * 4)


def test_only_wrong_predictions_are_listed_the_most_confident_first() -> None:
    found = worst_errors(SCORED, ["zero", "one"])
    assert [(each.id, each.truth, each.prediction, each.confidence) for each in found] == [
        ("b", "zero", "one", 0.9),
        ("d", "one", "zero", 0.7),
        ("a", "zero", "one", 0.6),
    ]
    assert len(worst_errors(SCORED, ["zero", "one"], count=2)) == 2
