"""A report's scores, each worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from artnet.evaluation.scores import (
    by_decision,
    by_group,
    by_movement,
    calibration_scores,
    overall,
    selective,
    set_report,
    style_report,
)
from artnet.metrics.calibration import calibration_error, negative_log_likelihood
from artnet.metrics.classification import balanced_accuracy, macro_f1

Y_TRUE = np.array([0, 1, 2, 3])
SCORES = np.eye(5)[[0, 1, 2, 2]] * 0.5 + 0.1  # three right, the fourth taken for the third; confidence 0.6 each


def test_overall_scores_worked_by_hand() -> None:
    found = overall(Y_TRUE, SCORES)
    assert found["accuracy"].value == 0.75
    assert found["balanced_accuracy"].value == 0.75  # class 4 does not occur and does not count
    assert found["macro_f1"].value == pytest.approx((1 + 1 + 2 / 3 + 0) / 4)
    assert found["calibration_error"].value == pytest.approx(0.15)  # confidence 0.6, accuracy 0.75
    assert found["negative_log_likelihood"].value == pytest.approx(-(3 * np.log(0.6) + np.log(0.1)) / 4)


def test_overall_scores_are_those_of_the_metrics() -> None:
    rng = np.random.default_rng(0)
    y_true, scores = rng.integers(0, 4, 200), rng.dirichlet(np.ones(4), 200)
    found, y_pred = overall(y_true, scores), scores.argmax(1)
    assert found["balanced_accuracy"].value == pytest.approx(balanced_accuracy(y_true, y_pred, 4))
    assert found["macro_f1"].value == pytest.approx(macro_f1(y_true, y_pred, 4))
    assert found["calibration_error"].value == pytest.approx(calibration_error(y_true, scores))
    assert found["negative_log_likelihood"].value == pytest.approx(negative_log_likelihood(y_true, scores))
    for entry in found.values():
        assert entry.low <= entry.high


def test_movements_worked_by_hand() -> None:
    found = by_movement(Y_TRUE, SCORES, ("a", "b", "c", "d", "e"))
    assert (found["c"].paintings, found["c"].predicted) == (1, 2)
    assert (found["c"].recall.value, found["c"].precision.value) == (1, 0.5)
    assert found["d"].recall.value == 0
    assert np.isnan(found["e"].recall.value)


def test_groups_are_scored_by_themselves_the_largest_first() -> None:
    found = by_group(Y_TRUE, SCORES, ["few", "many", "many", "many"])
    assert list(found) == ["many", "few"]
    assert found["many"].accuracy.value == pytest.approx(2 / 3)
    assert found["few"].accuracy.value == 1


def test_decisions_come_in_the_order_of_trust() -> None:
    found = by_decision(Y_TRUE, SCORES, ["unsure", "unsure", "unsure", "confident"])
    assert list(found) == ["confident", "unsure"]
    assert found["confident"].accuracy.value == 0


def test_a_threshold_worked_by_hand() -> None:
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.55, 0.45]])
    found = selective(np.array([0, 1, 0, 1]), scores, 0.6)  # kept: correct, wrong, correct
    assert found.coverage.value == 0.75
    assert found.accuracy.value == pytest.approx(2 / 3)
    assert found.curve_accuracy[-1] == 0.5


def test_a_threshold_above_all_confidences_leaves_no_accuracy() -> None:
    found = selective(Y_TRUE, SCORES, 0.99)
    assert found.coverage.value == 0
    assert np.isnan(found.accuracy.value)


def test_calibration_comes_with_its_bins() -> None:
    found = calibration_scores(Y_TRUE, SCORES)
    assert found.error.value == pytest.approx(0.15)
    assert found.bins.counts.sum() == 4


def test_styles_are_scored_on_paintings_whose_style_is_known() -> None:
    shown = np.array([[True, False], [True, True], [False, False], [True, True]])
    found = style_report(np.array([0, 1, 0, -1]), np.array([[0.9, 0.1], [0.8, 0.9], [0.7, 0.2], [1, 1]]), shown, "ab")
    assert found is not None
    assert found.by_style["a"].average_precision == pytest.approx(5 / 6)  # ranked first and third of three
    assert found.by_style["b"].average_precision == 1
    assert found.by_style["a"].low is not None and found.by_style["a"].low <= 5 / 6
    assert (found.by_style["a"].shown, found.by_style["a"].precision.value) == (2, 0.5)
    assert (found.paintings, found.mean, found.mean_share) == (3, pytest.approx(11 / 12), pytest.approx(1 / 2))


def test_a_style_of_no_painting_has_no_precision() -> None:
    found = style_report(np.array([0, 0]), np.full((2, 2), 0.5), np.zeros((2, 2), bool), "ab")
    assert found is not None
    assert (found.by_style["b"].average_precision, found.mean) == (None, 1)
    assert style_report(np.array([-1]), np.full((1, 2), 0.5), np.zeros((1, 2), bool), "ab") is None


def test_prediction_sets_worked_by_hand() -> None:
    sets = np.array([[1, 0, 0], [0, 1, 1], [1, 1, 0], [1, 1, 1]], bool)
    found = set_report(np.array([0, 1, 2, 1]), sets, ("a", "b", "c"), ["here", "here", "here", "there"], 0.9)
    assert (found.overall.coverage.value, found.overall.size.value) == (0.75, 2)
    assert found.by_movement["b"].coverage.value == 1
    assert found.by_movement["c"].coverage.value == 0
    assert found.by_collection["here"].size.value == pytest.approx(5 / 3)
    assert found.sizes == (1, 2, 1)
    assert found.overall.coverage.low < 0.75 < found.overall.coverage.high
