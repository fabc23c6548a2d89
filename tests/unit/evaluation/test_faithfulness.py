"""Faithfulness averaged over paintings."""

from __future__ import annotations

import numpy as np
import pytest

from artnet.attribution.faithfulness import Faithfulness, FaithfulnessResult
from artnet.evaluation.faithfulness import mean_faithfulness, predicted_target
from artnet.model.classifier import Classifier


def test_means_and_the_error_of_the_gain_worked_by_hand() -> None:
    pairs = ((0.1, 0.4), (0.4, -0.2))
    results = [FaithfulnessResult(Faithfulness(0.2, 0.8, gain, 0.0), shuffled) for gain, shuffled in pairs]
    found = mean_faithfulness("gradcam", 9, results)
    assert (found.paintings, found.deletion, found.insertion) == (2, 0.2, 0.8)
    assert found.gain == pytest.approx(0.25)
    assert found.standard_error == pytest.approx(0.15)  # the deviation of (0.1, 0.4), 0.3 / sqrt(2), over sqrt(2)
    assert found.shuffled_correlation == pytest.approx(0.1)
    assert not found.passes  # 0.25 is not above twice 0.15


def test_the_target_is_the_predicted_movement(classifier: Classifier) -> None:
    view = np.zeros((3, *[classifier.engine.size_px] * 2), np.float32)
    logits = classifier.engine.run(view[None], None, ["logits"])["logits"][0]
    target = predicted_target(classifier, view)
    assert target.shape == (1, 5)
    assert target[0].argmax() == logits.argmax()
    assert target.sum() == 1
