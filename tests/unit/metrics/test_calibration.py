"""Each number is worked by hand once, and holds for any labels and scores."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from artnet.metrics.calibration import (
    calibration_error,
    calibration_gaps,
    confidence_for_accuracy,
    fit_temperature,
    negative_log_likelihood,
    reliability,
    risk_coverage,
)
from artnet.metrics.classification import Floats, Ints, accuracy, softmax

FEW = settings(deadline=None, max_examples=30)
LOGITS = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
    elements=st.floats(-30, 30).map(lambda value: round(value, 1)),  # coarse, so that equal scores do occur
)


def ints(*values: int) -> Ints:
    return np.array(values, np.int64)


@st.composite
def scored(draw: st.DrawFn) -> tuple[Ints, Floats]:
    logits = draw(LOGITS)
    y_true = draw(hnp.arrays(np.int64, len(logits), elements=st.integers(0, logits.shape[1] - 1)))
    return y_true, softmax(logits)


def two_classes(confidences: list[float], right: list[bool]) -> tuple[Ints, Floats]:
    """Answer class 0 with the given confidences; the truth is 0 where the answer is right."""
    best = np.array(confidences)
    return np.where(right, 0, 1).astype(np.int64), np.stack([best, 1 - best], axis=1)


# Scores


def test_negative_log_likelihood_worked_by_hand() -> None:
    scores = np.array([[0.5, 0.5], [0.2, 0.8]])
    assert negative_log_likelihood(ints(0, 1), scores) == pytest.approx((math.log(2) + math.log(1.25)) / 2)


@given(scored())
@FEW
def test_negative_log_likelihood_is_finite_and_never_negative(labels: tuple[Ints, Floats]) -> None:
    assert 0 <= negative_log_likelihood(*labels) <= 12 * math.log(10) + 1e-9


def test_negative_log_likelihood_of_an_impossible_truth_is_finite() -> None:
    assert negative_log_likelihood(ints(1), np.array([[1.0, 0.0]])) == pytest.approx(12 * math.log(10))


def test_calibration_error_worked_by_hand() -> None:
    # Two bins. Sure ones: confidences 0.9, 0.7, one right: |0.8 - 0.5|. Unsure ones (three classes): 0.4, wrong: 0.4.
    scores = np.array([[0.9, 0.05, 0.05], [0.7, 0.2, 0.1], [0.4, 0.3, 0.3]])
    assert calibration_error(ints(0, 1, 2), scores, bins=2) == pytest.approx(2 / 3 * 0.3 + 1 / 3 * 0.4)


@given(st.lists(st.tuples(st.integers(6, 10), st.integers(1, 3)), min_size=1, max_size=5))
@FEW
def test_calibration_error_of_perfectly_calibrated_scores_is_zero(groups: list[tuple[int, int]]) -> None:
    confidences: list[float] = []
    right: list[bool] = []
    for tenths, times in groups:  # of ten answers with a confidence of 0.7, seven are right
        confidences += [tenths / 10] * 10 * times
        right += ([True] * tenths + [False] * (10 - tenths)) * times
    assert calibration_error(*two_classes(confidences, right)) == pytest.approx(0, abs=1e-9)


@given(scored(), st.integers(1, 30))
@FEW
def test_calibration_error_lies_between_0_and_1(labels: tuple[Ints, Floats], bins: int) -> None:
    y_true, scores = labels
    assert 0 <= calibration_error(y_true, scores, bins) <= 1
    overall = abs(scores.max(1).mean() - accuracy(y_true, scores.argmax(1)))
    assert calibration_error(y_true, scores, bins=1) == pytest.approx(overall, abs=1e-9)


def test_always_sure_and_always_wrong_is_the_largest_calibration_error() -> None:
    assert calibration_error(ints(1, 1), np.array([[1.0, 0.0], [1.0, 0.0]])) == 1


# Temperature


@pytest.mark.parametrize("temperature", [0.25, 1.0, 2.5, 10.0])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 3))
    y_true = (softmax(logits).cumsum(1) > rng.random((len(logits), 1))).argmax(1)  # drawn from the scores
    scaled = logits * temperature
    fitted = fit_temperature(lambda guess: negative_log_likelihood(y_true, softmax(scaled, guess)))
    assert fitted == pytest.approx(temperature, rel=0.03)


def test_the_smallest_loss_is_found_between_the_bounds() -> None:
    assert fit_temperature(lambda temperature: (math.log(temperature) - math.log(3)) ** 2) == pytest.approx(3, rel=1e-3)
    assert fit_temperature(lambda temperature: temperature) == pytest.approx(0.05, rel=1e-3)
    assert fit_temperature(lambda temperature: -temperature) == pytest.approx(20, rel=1e-3)


@given(st.floats(0.06, 19))
@FEW
def test_any_best_temperature_is_found(best: float) -> None:
    assert fit_temperature(lambda temperature: abs(math.log(temperature / best))) == pytest.approx(best, rel=1e-3)


# Abstention


def test_confidence_for_accuracy_worked_by_hand() -> None:
    # From above: 1/1, 2/2, 2/3, 3/4, 3/5. Three quarters are last reached at the fourth.
    labels = two_classes([0.95, 0.9, 0.8, 0.7, 0.6], [True, True, False, True, False])
    assert confidence_for_accuracy(*labels, target_accuracy=0.75) == 0.7
    assert confidence_for_accuracy(*labels, target_accuracy=0.9) == 0.9
    assert confidence_for_accuracy(*labels, target_accuracy=0.6) == 0


def test_an_accuracy_that_is_never_reached_needs_full_confidence() -> None:
    assert confidence_for_accuracy(*two_classes([0.9, 0.8], [False, True]), target_accuracy=0.9) == 1


def test_equally_confident_answers_stand_or_fall_together() -> None:
    labels = two_classes([0.9, 0.6, 0.6, 0.6], [True, True, False, False])
    assert confidence_for_accuracy(*labels, target_accuracy=0.9) == 0.9


@given(
    st.lists(st.tuples(st.integers(50, 99).map(lambda percent: percent / 100), st.booleans()), min_size=1),
    st.floats(0.5, 1),
)
@settings(deadline=None, max_examples=60)
def test_those_at_or_above_the_threshold_reach_the_accuracy_and_no_lower_one_does(
    answers: list[tuple[float, bool]], target: float
) -> None:
    threshold = confidence_for_accuracy(*two_classes([c for c, _ in answers], [r for _, r in answers]), target)

    def reached(lowest: float) -> bool:
        kept = [right for confidence, right in answers if confidence >= lowest]
        return not kept or sum(kept) / len(kept) >= target

    assert reached(threshold)
    assert not any(reached(confidence) for confidence, _ in answers if confidence < threshold)


# Reliability


def test_reliability_worked_by_hand() -> None:
    found = reliability(*two_classes([0.95, 0.91, 0.55], [True, False, True]), bins=10)
    assert found.counts.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 2]
    assert found.accuracy[[5, 9]] == pytest.approx([1, 0.5])
    assert found.confidence[[5, 9]] == pytest.approx([0.55, 0.93])
    assert np.isnan(found.accuracy[0])


@given(scored())
@FEW
def test_the_bins_add_up_to_the_calibration_error(labels: tuple[Ints, Floats]) -> None:
    found = reliability(*labels)
    held = found.counts > 0
    gaps = np.abs(found.confidence - found.accuracy)[held] * found.counts[held]
    assert gaps.sum() / found.counts.sum() == pytest.approx(calibration_error(*labels))
    assert np.abs(calibration_gaps(*labels).sum(0)).sum() == pytest.approx(gaps.sum())


# Risk and coverage


def test_risk_coverage_worked_by_hand() -> None:
    # From above: 1/1, 1/2, 2/3 right; the area is the mean risk, (0 + 1/2 + 1/3) / 3.
    found = risk_coverage(*two_classes([0.9, 0.8, 0.7], [True, False, True]))
    assert found.coverage == pytest.approx([1 / 3, 2 / 3, 1])
    assert found.accuracy == pytest.approx([1, 1 / 2, 2 / 3])
    assert found.area == pytest.approx(5 / 18)


def test_equally_sure_answers_are_one_point_of_the_curve() -> None:
    found = risk_coverage(*two_classes([0.9, 0.7, 0.7, 0.7], [True, True, False, False]))
    assert found.coverage == pytest.approx([1 / 4, 1])
    assert found.accuracy == pytest.approx([1, 1 / 2])
    assert found.area == pytest.approx(3 / 8)


@given(scored())
@FEW
def test_the_curve_ends_at_the_accuracy_of_all(labels: tuple[Ints, Floats]) -> None:
    found = risk_coverage(*labels)
    assert found.coverage[-1] == 1
    assert found.accuracy[-1] == pytest.approx(accuracy(labels[0], labels[1].argmax(1)))
    assert 0 <= found.area <= 1
