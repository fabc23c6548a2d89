"""Each number is worked by hand once, and holds for any labels and scores."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from artnet.metrics.calibration import (
    Threshold,
    calibration_error,
    calibration_gaps,
    fit_temperature,
    negative_log_likelihood,
    precision_bounds,
    reliability,
    risk_coverage,
    threshold_for_precision,
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


def kept_at(scores: list[float], right: list[bool], target: float) -> Threshold:
    found = threshold_for_precision(np.array(right), np.array(scores), target)
    assert found is not None
    return found


def test_a_bound_of_precision_worked_by_hand() -> None:
    # Wilson, one standard error: of 4 with 3 right, (3/4 + 1/8 - sqrt(3/64 + 1/64)) / (1 + 1/4) = 0.5.
    found = precision_bounds(np.array([True, True, False, True]), np.array([0.9, 0.8, 0.7, 0.6]), np.ones(4))
    assert (found[3].value, found[3].kept, found[3].precision) == (0.6, 1, 0.75)
    assert found[3].bound == pytest.approx(0.5)
    assert found[0].bound == pytest.approx(0.5)  # (1 + 1/2 - 1/2) / 2: one right answer proves little


def test_the_lowest_threshold_that_reaches_the_target_is_chosen() -> None:
    scores, right = [0.95, 0.9, 0.8, 0.7, 0.6], [True, True, False, True, False]
    assert kept_at(scores, right, 0.5).value == 0.7
    assert kept_at(scores, right, 0.6).value == 0.9  # 2 of 2: (1 + 1/4 - 1/4) / (3/2) = 2/3
    assert kept_at(scores, right, 0.1).value == 0.6


def test_a_target_that_is_never_reached_gives_the_best_there_is() -> None:
    found = kept_at([0.9, 0.8, 0.7], [True, True, False], 0.99)
    assert (found.value, found.precision) == (0.8, 1)
    assert threshold_for_precision(np.array([], bool), np.array([]), 0.9) is None


def test_equal_scores_stand_or_fall_together() -> None:
    assert kept_at([0.9, 0.6, 0.6, 0.6], [True, True, False, False], 0.5).value == 0.9


def test_weights_count_as_repetitions_do() -> None:
    right, scores = np.array([True, False, True]), np.array([0.9, 0.8, 0.7])
    weighted = precision_bounds(right, scores, np.array([2.0, 1.0, 2.0]))
    repeated = precision_bounds(right.repeat([2, 1, 2]), scores.repeat([2, 1, 2]), np.ones(5))
    assert [each.precision for each in weighted] == pytest.approx([each.precision for each in repeated])
    assert weighted[-1].bound < repeated[-1].bound  # three paintings prove less than five


@given(
    st.lists(st.tuples(st.integers(50, 99).map(lambda percent: percent / 100), st.booleans()), min_size=1),
    st.floats(0.5, 1),
)
@settings(deadline=None, max_examples=60)
def test_those_at_or_above_the_threshold_are_as_precise_as_it_says(
    answers: list[tuple[float, bool]], target: float
) -> None:
    scores, right = [score for score, _ in answers], [correct for _, correct in answers]
    found = kept_at(scores, right, target)
    kept = [correct for score, correct in answers if score >= found.value]
    assert sum(kept) / len(kept) == pytest.approx(found.precision)
    assert len(kept) / len(answers) == pytest.approx(found.kept)
    assert found.bound <= found.precision + 1e-12


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
