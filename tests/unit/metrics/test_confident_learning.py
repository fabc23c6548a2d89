"""Confident learning counts as one works out by hand, and finds what cleanlab finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artnet.metrics.confident_learning import (
    UNDECIDED,
    class_thresholds,
    confident_joint,
    confident_labels,
    estimated_joint,
    label_issues,
    normalised_margins,
)

# Five paintings of two classes. The thresholds are the mean scores of the label:
# (0.9 + 0.6 + 0.2) / 3 = 0.5667 and (0.8 + 0.7) / 2 = 0.75.
LABELS = np.array([0, 0, 0, 1, 1])
SCORES = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.2, 0.8], [0.3, 0.7]])


def random_case(seed: int, classes: int = 4, paintings: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, paintings)
    truth = np.where(rng.random(paintings) < 0.15, rng.integers(0, classes, paintings), labels)
    return labels, 0.5 * rng.dirichlet(np.ones(classes), paintings) + 0.5 * np.eye(classes)[truth]


def test_the_thresholds_are_mean_self_confidences() -> None:
    assert class_thresholds(LABELS, SCORES) == pytest.approx([1.7 / 3, 0.75])
    assert class_thresholds(LABELS, np.hstack([SCORES, np.zeros((5, 1))]))[2] == np.inf


def test_a_painting_counts_where_its_score_reaches_the_threshold() -> None:
    assert confident_labels(LABELS, SCORES).tolist() == [0, 0, 1, 1, UNDECIDED]
    assert confident_joint(LABELS, SCORES).tolist() == [[2, 1], [0, 1]]


def test_the_joint_is_scaled_to_the_labels() -> None:
    assert estimated_joint(LABELS, SCORES) == pytest.approx(np.array([[2, 1], [0, 2]]))
    flat = np.full((2, 2), 0.5)
    assert estimated_joint(np.array([0, 0]), flat) == pytest.approx(np.array([[2, 0], [0, 0]]))


def test_the_one_that_looks_otherwise_is_the_suspect() -> None:
    assert normalised_margins(LABELS, SCORES) == pytest.approx([0.8, 0.2, -0.6, 0.6, 0.4])
    assert label_issues(LABELS, SCORES).tolist() == [2]


@pytest.mark.parametrize("seed", range(5))
def test_cleanlab_counts_and_finds_the_same(seed: int) -> None:
    cleanlab = pytest.importorskip("cleanlab", reason="needs pip install '.[dev]'")
    labels, scores = random_case(seed)
    joint = cleanlab.count.compute_confident_joint(labels, scores, calibrate=False)
    issues = cleanlab.filter.find_label_issues(
        labels, scores, filter_by="confident_learning", return_indices_ranked_by="normalized_margin", n_jobs=1
    )
    assert np.array_equal(confident_joint(labels, scores), joint)
    assert label_issues(labels, scores).tolist() == issues.tolist()


@given(st.integers(0, 1000))
def test_the_order_of_paintings_and_of_classes_changes_nothing(seed: int) -> None:
    labels, scores = random_case(seed, paintings=40)
    rng = np.random.default_rng(seed)
    order, classes = rng.permutation(40), rng.permutation(4)
    found = label_issues(np.argsort(classes)[labels[order]], scores[order][:, classes])
    assert order[found].tolist() == label_issues(labels, scores).tolist()


def test_scores_that_agree_with_every_label_raise_no_suspicion() -> None:
    labels = np.arange(20) % 4
    assert len(label_issues(labels, np.eye(4)[labels])) == 0
