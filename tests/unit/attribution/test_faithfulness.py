"""Faithfulness of maps whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from artnet.attribution.faithfulness import (
    CELLS,
    area,
    blurred,
    cell_order,
    judge,
    measure,
    random_orders,
    rank_correlation,
)
from artnet.attribution.methods import METHODS, Sampling, TargetScorer, evidence
from artnet.model.classifier import Classifier

SIZE = 28
# Strokes in the upper left quarter only.
VIEW = np.zeros((3, SIZE, SIZE), np.float32)
VIEW[:, :14:2, :14] = 1


def strokes(views: np.ndarray) -> np.ndarray:
    """A score that counts strokes: 1 for the whole view."""
    return np.abs(np.diff(views[:, 0], axis=1)).sum((1, 2)) / np.abs(np.diff(VIEW[0], axis=0)).sum()


def test_an_area_worked_by_hand() -> None:
    # Trapezia of 0.75 and 0.25, each half as wide as the whole.
    assert area(np.array([1, 0.5, 0])) == pytest.approx(0.5)
    assert area(np.array([1, 1, 0])) == pytest.approx(0.75)


@given(arrays(np.float64, 5, elements=st.floats(0, 1)))
def test_an_area_lies_between_the_ends_of_the_scores(scores: np.ndarray) -> None:
    assert scores.min() - 1e-9 <= area(scores) <= scores.max() + 1e-9


def test_cells_are_ranked_by_evidence() -> None:
    grid = np.zeros((CELLS, CELLS), np.float32)
    grid[2, 3], grid[5, 5] = 1, 0.5
    order = cell_order(grid, SIZE)
    assert order[4, 6] == order[5, 7] == 0  # a cell is two pixels wide
    assert order[10, 10] == 1
    assert order.max() == CELLS**2 - 1


def test_the_true_map_gains_and_the_contrary_loses() -> None:
    true = np.zeros((2, 2), np.float32)
    true[0, 0] = 1
    reference = random_orders(strokes, VIEW, 8, np.random.default_rng(0))
    right, wrong = (measure(strokes, VIEW, grid, 8, reference) for grid in (true, 1 - true))
    assert right.gain > 0.2
    assert wrong.gain < 0 < right.gain
    assert right.deletion < wrong.deletion
    assert right.insertion > wrong.insertion


def test_blurring_takes_the_strokes_away_and_keeps_the_mean() -> None:
    rough = np.random.default_rng(0).normal(size=(3, 56, 56)).astype(np.float32)
    soft = blurred(rough)
    assert soft.std() < rough.std() / 2
    assert soft.mean() == pytest.approx(rough.mean(), abs=0.05)
    assert np.allclose(blurred(np.ones((3, 8, 8), np.float32)), 1)


def test_ranks_correlate_whatever_the_scale() -> None:
    values = np.array([[1, 5, 2, 9]], np.float32)
    assert rank_correlation(values, values**3) == pytest.approx(1)
    assert rank_correlation(values, -values) == pytest.approx(-1)
    assert rank_correlation(values, np.zeros_like(values)) == 0


def test_shuffled_weights_change_the_answer_and_the_maps(classifier: Classifier) -> None:
    rng = np.random.default_rng(0)
    view = rng.normal(0, 0.6, (3, *[classifier.engine.size_px] * 2)).astype(np.float32)
    probe = TargetScorer(classifier.engine, np.eye(5, dtype=np.float32)[:1])
    maps = evidence(probe, view, "gradcam", classifier.config.layers, Sampling())
    found = judge(probe, view, "gradcam", classifier.config.layers, Sampling(), maps)
    assert list(found) == list(range(1, 10))
    other = classifier.engine.shuffled(0).run(view[None], None, ["logits"])["logits"]
    assert not np.allclose(other, classifier.engine.run(view[None], None, ["logits"])["logits"], atol=0.1)
    assert np.abs([verdict.shuffled_correlation for verdict in found.values()]).mean() < 0.9
    assert classifier.engine.shuffled(0).run(view[None], None, ["logits"])["logits"].tolist() == other.tolist()


def test_every_method_is_either_asked_something_or_says_that_it_is_not() -> None:
    assert [name for name, method in METHODS.items() if not method.asked] == ["eigencam"]
