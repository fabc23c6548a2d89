"""The words of the page."""

from __future__ import annotations

import pytest

from artnet.attribution.faithfulness import Faithfulness
from artnet.attribution.methods import METHODS
from artnet.model.prediction import Decision, Prediction
from artnet.serving.web.labels import SLOW_METHODS, decision_words, faithful_words, likely_styles


def prediction(decision: Decision, styles: dict[str, float] | None = None) -> Prediction:
    scores = {"Cubism": 0.4, "Realism": 0.1, "Expressionism": 0.5}
    return Prediction("", "Expressionism", 0.5, decision, scores, (), "", 1, 1, None, styles or {})


def test_an_unsure_answer_names_the_two_likeliest() -> None:
    assert decision_words(prediction("unsure")) == "Unsure: Expressionism or Cubism."


def test_an_unfamiliar_picture_is_called_so_plainly() -> None:
    assert decision_words(prediction("unfamiliar")).startswith("Unfamiliar: this picture is unlike the paintings")


def test_at_most_three_styles_of_at_least_a_half_are_named_likeliest_first() -> None:
    found = likely_styles(prediction("confident", {"a": 0.5, "b": 0.49, "c": 0.9, "d": 0.8, "e": 0.6}))
    assert list(found) == ["c", "d", "e"]


@pytest.mark.parametrize(("gain", "words"), [(0.05, "more than"), (0.01, "hardly better"), (0.0, "no better")])
def test_a_test_of_a_map_is_put_in_words(gain: float, words: str) -> None:
    assert words in faithful_words(Faithfulness(0, 0, gain, 0))


def test_every_slow_method_is_a_method() -> None:
    assert SLOW_METHODS.keys() <= METHODS.keys()
