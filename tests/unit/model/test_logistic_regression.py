"""A linear head is scikit-learn's, and one worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artnet.model.logistic_regression import (
    LogisticRegression,
    adapt_logistic_regression,
    fit_logistic_regression,
    map_folds,
    minimise,
    out_of_fold_logits,
)

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 4, 300)
EMBEDDINGS = (RNG.normal(0, 1, (4, 20))[LABELS] + RNG.normal(0, 1.5, (300, 20))) * RNG.uniform(0.1, 9, 20) + 3


def test_two_classes_without_features_are_scored_by_their_share() -> None:
    head = fit_logistic_regression(np.zeros((4, 2)), np.array([0, 0, 0, 1]), 2)
    assert head.scores(np.zeros((1, 2)))[0] == pytest.approx([3 / 4, 1 / 4], abs=1e-4)
    even = fit_logistic_regression(np.zeros((4, 2)), np.array([0, 0, 0, 1]), 2, balanced=True)
    assert even.scores(np.zeros((1, 2)))[0] == pytest.approx([1 / 2, 1 / 2], abs=1e-4)


def test_one_feature_is_weighed_as_one_works_out_by_hand() -> None:
    # Weights of w and -w on +1 and -1 have the loss log(1 + exp(-2 w)) + penalty * w ** 2. Its derivative,
    # -2 / (1 + exp(2 w)) + 2 * penalty * w, is zero at w = 1/2 for a penalty of 2 / (1 + e).
    head = fit_logistic_regression(np.array([[1.0], [-1.0]]), np.array([0, 1]), 2, penalty=2 / (1 + np.e))
    assert head.weight[0] == pytest.approx([0.5, -0.5], abs=1e-4)
    assert head.bias == pytest.approx([0, 0], abs=1e-4)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("penalty", [0.001, 0.1])
def test_the_scores_are_scikit_learns(balanced: bool, penalty: float) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model", reason="needs pip install '.[dev]'")
    # Balanced weights of scikit-learn add up to N, ours to 1.
    theirs = linear_model.LogisticRegression(
        C=1 / (len(LABELS) * penalty), class_weight="balanced" if balanced else None, max_iter=1000, tol=1e-8
    )
    scaled = (EMBEDDINGS - EMBEDDINGS.mean(0)) / EMBEDDINGS.std(0)
    head = fit_logistic_regression(EMBEDDINGS, LABELS, 4, balanced, penalty)
    assert head.scores(EMBEDDINGS) == pytest.approx(theirs.fit(scaled, LABELS).predict_proba(scaled), abs=1e-3)


def test_out_of_fold_logits_are_those_of_heads_fitted_without_the_fold() -> None:
    folds = np.arange(300) % 3
    logits = out_of_fold_logits(EMBEDDINGS, LABELS, 4, folds, balanced=True)
    for fold in range(3):
        held_out = folds == fold
        head = fit_logistic_regression(EMBEDDINGS[~held_out], LABELS[~held_out], 4, balanced=True)
        assert np.array_equal(logits[held_out], EMBEDDINGS[held_out] @ head.weight + head.bias)


def test_folds_are_mapped_in_order() -> None:
    folds = np.array([1, 0, 2, 0])
    assert map_folds(lambda held_out: held_out.tolist(), folds, 2) == [[False, True, False, True], [True, *[False] * 3]]


def test_a_class_without_a_painting_is_predicted_by_none() -> None:
    scores = fit_logistic_regression(EMBEDDINGS, LABELS, 5).scores(EMBEDDINGS)
    assert scores[:, 4].max() < 0.01


def test_a_feature_that_never_changes_costs_nothing() -> None:
    wider = np.hstack([EMBEDDINGS, np.full((300, 1), 7.0)])
    expected = fit_logistic_regression(EMBEDDINGS, LABELS, 4).scores(EMBEDDINGS)
    assert fit_logistic_regression(wider, LABELS, 4).scores(wider) == pytest.approx(expected, abs=1e-3)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=6), st.floats(0.1, 10))
def test_the_least_of_a_parabola_is_found(centre: list[float], steepness: float) -> None:
    target = np.array(centre)
    curvature = steepness * np.arange(1, len(target) + 1)

    def parabola(point: np.ndarray) -> tuple[float, np.ndarray]:
        return float((curvature * (point - target) ** 2).sum() / 2), curvature * (point - target)

    assert minimise(parabola, np.zeros(len(target))) == pytest.approx(target, abs=1e-3)


def test_a_head_moves_where_what_is_remembered_does_not_vary() -> None:
    prior = LogisticRegression(np.array([[3.0, -3.0], [0.0, 0.0]]), np.zeros(2))
    remembered = np.stack([RNG.normal(size=200), np.zeros(200)], axis=1)  # all along the first axis
    head = adapt_logistic_regression(prior, np.array([[1.0, 1.0]]), np.array([1]), 0.1, remembered)
    assert head.scores(np.array([[1.0, 1.0]]))[0, 1] > 0.5
    assert (head.scores(remembered).argmax(1) == prior.scores(remembered).argmax(1)).mean() > 0.9
    assert abs(head.weight[1] - prior.weight[1]).max() > 3 * abs(head.weight[0] - prior.weight[0]).max()


def test_a_strong_penalty_leaves_a_head_as_it_was() -> None:
    prior = fit_logistic_regression(EMBEDDINGS, LABELS, 4)
    head = adapt_logistic_regression(prior, EMBEDDINGS[:1], (LABELS[:1] + 1) % 4, 1e6, EMBEDDINGS)
    assert head.scores(EMBEDDINGS) == pytest.approx(prior.scores(EMBEDDINGS), abs=1e-3)
