"""The report of one painting."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from PIL import Image

from artnet.attribution.explain import Explanation, explain
from artnet.model.classifier import Classifier
from artnet.render.overlay import OverlayStyle
from artnet.serving.api.report import decision_sentence, painting_report


@pytest.fixture(scope="module")
def explanation(classifier: Classifier, painting: Image.Image) -> Explanation:
    return explain(classifier, painting)


def test_a_report_stands_alone_and_says_the_prediction(explanation: Explanation) -> None:
    page = painting_report(explanation, "<b>bars</b>.png", 9, OverlayStyle())
    assert f"<h1>{explanation.prediction.movement}, {explanation.prediction.confidence:.0%}</h1>" in page
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert "<b>bars</b>" not in page
    assert page.count("<img") == 2 + 9


@pytest.mark.parametrize(("depth", "shown"), [(7, 7), (None, 9), (12, 9)])
def test_the_large_overlay_is_of_the_depth_asked_for_or_the_deepest(
    explanation: Explanation, depth: int | None, shown: int
) -> None:
    assert f"depth {shown} of 9" in painting_report(explanation, "a.png", depth, OverlayStyle())


def test_a_decision_is_a_sentence(explanation: Explanation) -> None:
    scores = {"Cubism": 0.4, "Realism": 0.5, "Abstract": 0.1}
    unsure = replace(explanation.prediction, decision="unsure", scores=scores, set=("Realism", "Cubism"))
    assert decision_sentence(unsure) == "Unsure: Realism or Cubism."
    assert decision_sentence(replace(unsure, decision="confident")) == "Confident."
    assert "unlike the paintings" in decision_sentence(replace(unsure, decision="unfamiliar"))
