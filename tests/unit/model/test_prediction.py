"""From the views' logits to scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from artnet.model.prediction import style_scores, vote


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
