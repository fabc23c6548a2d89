"""Prediction sets hold the true class as often as they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from artnet.metrics.conformal import conformal_quantile, masses_above, prediction_sets, true_class_values

SCORES = np.array([[0.2, 0.5, 0.3], [0.9, 0.1, 0.0]])
rows = arrays(np.float64, (4, 5), elements=st.floats(0.001, 1)).map(
    lambda values: values / values.sum(1, keepdims=True)
)


def test_masses_worked_by_hand() -> None:
    assert masses_above(SCORES) == pytest.approx(np.array([[0.8, 0, 0.5], [0, 0.9, 1.0]]))
    assert true_class_values(np.array([2, 1]), SCORES) == pytest.approx([0.5, 0.9])


def test_sets_worked_by_hand() -> None:
    assert prediction_sets(SCORES, 0.5).tolist() == [[False, True, True], [True, False, False]]
    assert prediction_sets(SCORES, 0.49).sum(1).tolist() == [1, 1]
    assert prediction_sets(SCORES, 1.0).all()


def test_a_quantile_worked_by_hand() -> None:
    values = np.arange(1.0, 10)  # nine of them: of ten places, the ninth is 90 %
    assert conformal_quantile(values, 0.9) == 9
    assert conformal_quantile(values, 0.8) == 8
    assert conformal_quantile(values[:8], 0.9) == math.inf
    assert conformal_quantile(np.array([]), 0.9) == math.inf


def test_a_weighted_quantile_worked_by_hand() -> None:
    # Weights 1, 1 and 2, and 2 for the new painting: half of the 6 is reached by the third value only.
    assert conformal_quantile(np.array([1.0, 2.0, 3.0]), 0.5, np.array([1.0, 1.0, 2.0])) == 3
    assert conformal_quantile(np.array([1.0, 2.0, 3.0]), 0.5, np.full(3, 7.0)) == 2


@given(rows, st.floats(0, 1))
def test_a_set_is_the_highest_scores_and_never_empty(scores: np.ndarray, threshold: float) -> None:
    members = prediction_sets(scores, threshold)
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked = np.take_along_axis(members, order, axis=1)
    assert ranked[:, 0].all()
    assert (np.diff(ranked.astype(int), axis=1) <= 0).all()


@given(rows, st.floats(0, 1), st.floats(0, 1))
def test_a_higher_threshold_only_adds_members(scores: np.ndarray, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert (prediction_sets(scores, low) <= prediction_sets(scores, high)).all()


@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_sets_hold_the_truth_as_often_as_promised(coverage: float) -> None:
    # Over 400 divisions of exchangeable paintings the mean is within three of its standard errors of the promise.
    rng, held = np.random.default_rng(0), []
    for _ in range(400):
        scores = rng.dirichlet(np.ones(5), 150)
        y_true = np.array([rng.choice(5, p=row**0.5 / (row**0.5).sum()) for row in scores])
        threshold = conformal_quantile(true_class_values(y_true[:100], scores[:100]), coverage)
        held.append(prediction_sets(scores[100:], threshold)[np.arange(50), y_true[100:]].mean())
    error = np.std(held) / np.sqrt(len(held))
    assert coverage - 3 * error <= np.mean(held) <= coverage + 1 / 101 + 3 * error


def test_weights_promise_it_for_other_proportions_of_classes() -> None:
    rng = np.random.default_rng(0)
    hard = rng.random(4000) < 0.1  # a tenth of validation, half of what users show
    values = np.where(hard, rng.uniform(0.5, 1, 4000), rng.uniform(0, 0.6, 4000))
    weights = np.where(hard, 1 / hard.sum(), 1 / (~hard).sum())
    threshold = conformal_quantile(values, 0.9, weights)
    new = (rng.uniform(0.5, 1, 4000) <= threshold).mean() / 2 + (rng.uniform(0, 0.6, 4000) <= threshold).mean() / 2
    assert new == pytest.approx(0.9, abs=0.02)
    assert conformal_quantile(values, 0.9) < threshold
