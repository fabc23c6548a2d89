"""Faithfulness over a dataset, and its place in the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from artnet.attribution.faithfulness import Faithfulness, FaithfulnessResult
from artnet.errors import UsageError
from artnet.evaluation.evaluate import EvaluateOptions, evaluate
from artnet.evaluation.faithfulness import _scores, answered, evaluate_maps
from artnet.evaluation.report_html import report_page
from artnet.model.classifier import Classifier


def test_means_and_the_error_of_the_gain_worked_by_hand() -> None:
    results = [
        FaithfulnessResult(Faithfulness(0.2, 0.8, gain, 0.0), shuffled) for gain, shuffled in ((0.1, 0.4), (0.4, -0.2))
    ]
    found = _scores("gradcam", 9, results)
    assert (found.paintings, found.deletion, found.insertion) == (2, 0.2, 0.8)
    assert found.gain == pytest.approx(0.25)
    assert found.error == pytest.approx(0.15)  # the deviation of (0.1, 0.4), 0.3 over the root of 2, over the root of 2
    assert found.shuffled_correlation == pytest.approx(0.1)
    assert not found.passes  # 0.25 is not above twice 0.15


def test_what_is_asked_is_the_models_own_answer(exported: Path) -> None:
    classifier = Classifier.load(exported, precision="f32")
    view = np.zeros((3, *[classifier.engine.size_px] * 2), np.float32)
    logits = classifier.engine.run(view[None], None, ["logits"])["logits"][0]
    assert answered(classifier, view)[0].argmax() == logits.argmax()


def test_the_report_tells_how_faithful_the_maps_are(exported: Path, data: Path) -> None:
    classifier = Classifier.load(exported, precision="f32")
    report = evaluate(classifier, data, "test", EvaluateOptions(pictures=False, faithfulness=2))
    assert [found.depth for found in report.maps] == list(range(1, 10))
    assert all(found.paintings == 2 and np.isfinite(found.gain) for found in report.maps)
    assert report.to_dict()["maps"][8]["depth"] == 9
    assert "Maps of evidence (gradcam) on 2 paintings" in report_page(report)


def test_a_method_that_there_is_not_is_refused(exported: Path, data: Path) -> None:
    with pytest.raises(UsageError, match="unknown method"):
        evaluate_maps(Classifier.load(exported), data, "test", 1, "guesswork")
