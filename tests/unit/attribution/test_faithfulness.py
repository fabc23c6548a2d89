"""Faithfulness of maps whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from artnet.attribution.faithfulness import (
    CELLS,
    Faithfulness,
    FaithfulnessResult,
    area_under,
    assess,
    blur,
    cell_order,
    measure,
    random_baseline,
    rank_correlation,
)
from artnet.attribution.methods import AttributionOptions, TargetScorer, attribute
from fixtures.engine import TinyEngine, tiny_classifier

QUICK = settings(max_examples=30, deadline=None)
SIZE = 28
# Strokes in the upper left quarter only.
VIEW = np.zeros((3, SIZE, SIZE), np.float32)
VIEW[:, :14:2, :14] = 1


def strokes(views: np.ndarray) -> np.ndarray:
    """A score that counts strokes: 1 for the whole view."""
    return np.abs(np.diff(views[:, 0], axis=1)).sum((1, 2)) / np.abs(np.diff(VIEW[0], axis=0)).sum()


def test_an_area_worked_by_hand() -> None:
    # Trapezia of 0.75 and 0.25, each half as wide as the whole.
    assert area_under(np.array([1, 0.5, 0])) == pytest.approx(0.5)
    assert area_under(np.array([1, 1, 0])) == pytest.approx(0.75)


@QUICK
@given(arrays(np.float64, 5, elements=st.floats(0, 1)))
def test_an_area_lies_between_the_ends_of_the_scores(scores: np.ndarray) -> None:
    assert scores.min() - 1e-9 <= area_under(scores) <= scores.max() + 1e-9


def test_cells_are_ranked_by_the_map() -> None:
    grid = np.zeros((CELLS, CELLS), np.float32)
    grid[2, 3], grid[5, 5] = 1, 0.5
    order = cell_order(grid, SIZE)
    assert order[4, 6] == order[5, 7] == 0  # a cell is two pixels wide
    assert order[10, 10] == 1
    assert order.max() == CELLS**2 - 1


def test_the_true_map_gains_and_its_opposite_loses() -> None:
    true = np.zeros((2, 2), np.float32)
    true[0, 0] = 1
    baseline = random_baseline(strokes, VIEW, 8, np.random.default_rng(0))
    right, wrong = (measure(strokes, VIEW, grid, 8, baseline) for grid in (true, 1 - true))
    assert right.gain > 0.2
    assert wrong.gain < 0 < right.gain
    assert right.deletion < wrong.deletion
    assert right.insertion > wrong.insertion


def test_blurring_takes_the_strokes_away_and_keeps_the_mean() -> None:
    rough = np.random.default_rng(0).normal(size=(3, 56, 56)).astype(np.float32)
    soft = blur(rough)
    assert soft.std() < rough.std() / 2
    assert soft.mean() == pytest.approx(rough.mean(), abs=0.05)
    assert np.allclose(blur(np.ones((3, 8, 8), np.float32)), 1)


def test_ranks_correlate_whatever_the_scale() -> None:
    values = np.array([[1, 5, 2, 9]], np.float32)
    assert rank_correlation(values, values**3) == pytest.approx(1)
    assert rank_correlation(values, -values) == pytest.approx(-1)
    assert rank_correlation(values, np.zeros_like(values)) == 0


def test_a_map_is_compared_with_that_of_shuffled_weights() -> None:
    scorer = TargetScorer(TinyEngine(), np.eye(5, dtype=np.float32)[:1])
    view = np.random.default_rng(0).normal(0, 1, (3, SIZE, SIZE)).astype(np.float32)
    options = AttributionOptions("gradcam", tiny_classifier().config.layers)
    maps = attribute(scorer, view, options)
    results = assess(scorer, view, maps, options)
    shuffled = attribute(TargetScorer(TinyEngine().shuffled(0), scorer.weights), view, options)
    assert list(results) == list(range(1, 10))
    for depth, result in results.items():
        assert result.shuffled_correlation == rank_correlation(maps[depth], shuffled[depth])


@pytest.mark.parametrize(("gain", "correlation", "passes"), [(0.1, 0.2, True), (0.1, -0.6, False), (-0.1, 0.2, False)])
def test_a_map_passes_that_beats_random_cells_and_depends_on_the_weights(
    gain: float, correlation: float, passes: bool
) -> None:
    assert FaithfulnessResult(Faithfulness(0.4, 0.5, gain, gain), correlation).passes is passes
