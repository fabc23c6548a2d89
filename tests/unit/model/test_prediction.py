"""From the views' logits to scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from artnet.model.prediction import Prediction, decision_words, likely_styles, style_scores, vote


def test_a_vote_worked_by_hand() -> None:
    # Two views, two movements: softmax of (0, 0) is (1/2, 1/2), of (ln 3, 0) is (3/4, 1/4); weights 1 and 3.
    logits = np.array([[0, 0], [np.log(3), 0]])
    assert vote(logits, [1, 3], 1.0) == pytest.approx([0.6875, 0.3125])


@given(arrays(np.float64, (6, 5), elements=st.floats(-50, 50)), st.floats(0.1, 10))
def test_a_vote_lies_between_the_views_scores(logits: np.ndarray, temperature: float) -> None:
    weights = [1.0, 0.5, 0.5, 0.0, 0.2, 0.1]
    single = np.stack([vote(row[None], [1.0], temperature) for row in logits])
    voted = vote(logits, weights, temperature)
    assert voted.sum() == pytest.approx(1)
    assert (voted <= single.max(0) + 1e-12).all()
    assert (voted >= single.min(0) - 1e-12).all()


def test_views_vote_on_styles_by_their_mean_logit() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 0.0], [9.0, 9.0]])
    assert style_scores(logits, [0.5, 0.5, 0.0]) == pytest.approx([1 / (1 + np.exp(-1)), 0.5])


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (None, "unsure: Realism or Cubism"),
        (("Realism",), "unsure: Realism or another"),
        (("Realism", "Cubism"), "unsure: Realism or Cubism"),
        (("Realism", "Cubism", "Abstract"), "unsure: Realism, Cubism or Abstract"),
    ],
)
def test_an_unsure_prediction_names_its_set(names: tuple[str, ...] | None, words: str) -> None:
    scores = {"Cubism": 0.3, "Realism": 0.5, "Abstract": 0.2}
    found = Prediction("a.jpg", "Realism", 0.5, "unsure", scores, (), "drawn", 1, 1, set=names)
    assert decision_words(found) == words


def test_a_style_is_likely_from_its_threshold_on_and_never_without_one() -> None:
    scores = {"Cubism": 0.4, "Fauvism": 0.45, "Realism": 0.9}
    assert likely_styles(scores, {"Cubism": 0.3, "Fauvism": 0.45}) == ("Fauvism", "Cubism")
    assert likely_styles(scores, None) == ("Realism",)
    assert likely_styles(scores, {}) == ()
