"""Each number is worked by hand once, and holds for any labels and scores."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from artnet.metrics.classification import (
    Floats,
    Ints,
    accuracy,
    auroc,
    average_precision,
    balanced_accuracy,
    calibration_error,
    calibration_gaps,
    confidence_for_accuracy,
    confusion,
    f1_scores,
    fit_temperature,
    macro_f1,
    mcnemar_p,
    negative_log_likelihood,
    precisions,
    recalls,
    reliability,
    risk_coverage,
    sigmoid,
    softmax,
    top_k_accuracy,
)

CLASSES = 4
FEW = settings(deadline=None, max_examples=60)
LOGITS = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
    elements=st.floats(-30, 30).map(lambda value: round(value, 1)),  # coarse, so that equal scores do occur
)


def ints(*values: int) -> Ints:
    return np.array(values, np.int64)


@st.composite
def answers(draw: st.DrawFn) -> tuple[Ints, Ints]:
    count = draw(st.integers(1, 40))
    labels = hnp.arrays(np.int64, count, elements=st.integers(0, CLASSES - 1))
    return draw(labels), draw(labels)


@st.composite
def scored(draw: st.DrawFn) -> tuple[Ints, Floats]:
    logits = draw(LOGITS)
    y_true = draw(hnp.arrays(np.int64, len(logits), elements=st.integers(0, logits.shape[1] - 1)))
    return y_true, softmax(logits)


def two_classes(confidences: list[float], right: list[bool]) -> tuple[Ints, Floats]:
    """Answer class 0 with the given confidences; the truth is 0 where the answer is right."""
    best = np.array(confidences)
    return np.where(right, 0, 1).astype(np.int64), np.stack([best, 1 - best], axis=1)


# Softmax


def test_softmax_worked_by_hand() -> None:
    assert softmax(np.array([0.0, math.log(3)])) == pytest.approx([0.25, 0.75])
    assert softmax(np.array([0.0, math.log(9)]), temperature=2) == pytest.approx([0.25, 0.75])  # sqrt(9) = 3


@given(LOGITS, st.floats(0.05, 20))
@FEW
def test_softmax_adds_up_to_one_and_keeps_the_order(logits: Floats, temperature: float) -> None:
    scores = softmax(logits, temperature)
    assert scores.sum(1) == pytest.approx(1)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (np.take_along_axis(scores, logits.argmax(1)[:, None], 1)[:, 0] == scores.max(1)).all()


@given(LOGITS, st.floats(-1000, 1000))
@FEW
def test_softmax_does_not_see_a_constant_added(logits: Floats, constant: float) -> None:
    assert softmax(logits + constant) == pytest.approx(softmax(logits), abs=1e-9)


def test_softmax_survives_huge_logits_and_the_networks_float32() -> None:
    scores = softmax(np.array([[1e30, 0, -1e30], [-1e30, -1e30, -1e30]], np.float32))
    assert scores.dtype == np.float64
    assert scores == pytest.approx(np.array([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]]))


@given(LOGITS)
@FEW
def test_a_higher_temperature_never_makes_an_answer_surer(logits: Floats) -> None:
    assert (softmax(logits, 3).max(1) <= softmax(logits, 1).max(1) + 1e-12).all()


# Right answers


def test_accuracy_worked_by_hand() -> None:
    assert accuracy(ints(0, 1, 2, 2), ints(0, 1, 1, 2)) == 0.75


@given(answers())
@FEW
def test_accuracy_lies_between_0_and_1_and_is_1_for_the_truth_itself(labels: tuple[Ints, Ints]) -> None:
    y_true, y_pred = labels
    assert 0 <= accuracy(y_true, y_pred) <= 1
    assert accuracy(y_true, y_true) == 1


def test_confusion_worked_by_hand_has_truth_in_rows() -> None:
    matrix = confusion(ints(0, 0, 0, 1, 2), ints(0, 1, 1, 1, 0), classes=3)
    assert matrix.tolist() == [[1, 2, 0], [0, 1, 0], [1, 0, 0]]
    assert matrix.dtype == np.int64


@given(answers())
@FEW
def test_confusion_counts_every_answer_once(labels: tuple[Ints, Ints]) -> None:
    y_true, y_pred = labels
    matrix = confusion(y_true, y_pred, CLASSES)
    assert matrix.shape == (CLASSES, CLASSES)
    assert matrix.sum(1).tolist() == np.bincount(y_true, minlength=CLASSES).tolist()
    assert matrix.sum(0).tolist() == np.bincount(y_pred, minlength=CLASSES).tolist()
    assert np.trace(matrix) / len(y_true) == pytest.approx(accuracy(y_true, y_pred))


def test_recalls_worked_by_hand_leave_an_absent_class_open() -> None:
    result = recalls(np.array([[3, 1, 0], [0, 0, 0], [1, 0, 1]]))
    assert result[[0, 2]].tolist() == [0.75, 0.5]
    assert np.isnan(result[1])


def test_balanced_accuracy_worked_by_hand_counts_a_rare_class_as_much() -> None:
    # class 0: 3 of 4, class 1: 0 of 1, class 2 does not occur: (0.75 + 0) / 2
    assert balanced_accuracy(ints(0, 0, 0, 0, 1), ints(0, 0, 0, 1, 2), classes=3) == 0.375


@given(answers())
@FEW
def test_balanced_accuracy_is_the_accuracy_when_all_classes_are_equally_common(labels: tuple[Ints, Ints]) -> None:
    y_pred = labels[1]
    even = np.repeat(np.arange(CLASSES), len(y_pred))
    said = np.resize(y_pred, len(even))
    assert balanced_accuracy(even, said, CLASSES) == pytest.approx(accuracy(even, said))


def test_macro_f1_worked_by_hand() -> None:
    # class 0: 2 hits, 1 miss, 0 false: 4/5; class 1: 1 hit, 0 misses, 1 false: 2/3; class 2 occurs nowhere
    assert macro_f1(ints(0, 0, 0, 1), ints(0, 0, 1, 1), classes=3) == pytest.approx((4 / 5 + 2 / 3) / 2)


def test_macro_f1_counts_a_class_that_is_only_answered_as_zero() -> None:
    # class 0: 1 hit, 1 miss, 0 false: 2/3; class 2: answered once and never right: 0
    assert macro_f1(ints(0, 0), ints(0, 2), classes=3) == pytest.approx(1 / 3)


@given(answers())
@FEW
def test_macro_f1_and_balanced_accuracy_lie_between_0_and_1(labels: tuple[Ints, Ints]) -> None:
    y_true, y_pred = labels
    for measure in (macro_f1, balanced_accuracy):
        assert 0 <= measure(y_true, y_pred, CLASSES) <= 1
        assert measure(y_true, y_true, CLASSES) == 1


def test_top_k_accuracy_worked_by_hand() -> None:
    scores = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    assert [top_k_accuracy(ints(0, 1, 2), scores, k) for k in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1])


@given(scored())
@FEW
def test_top_k_accuracy_grows_from_the_accuracy_to_1(labels: tuple[Ints, Floats]) -> None:
    y_true, scores = labels
    grown = [top_k_accuracy(y_true, scores, k) for k in range(1, scores.shape[1] + 1)]
    assert grown[0] == accuracy(y_true, scores.argmax(1))
    assert grown == sorted(grown)
    assert grown[-1] == 1


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
    assert confidence_for_accuracy(*labels, wanted=0.75) == 0.7
    assert confidence_for_accuracy(*labels, wanted=0.9) == 0.9
    assert confidence_for_accuracy(*labels, wanted=0.6) == 0


def test_an_accuracy_that_is_never_reached_asks_for_full_confidence() -> None:
    assert confidence_for_accuracy(*two_classes([0.9, 0.8], [False, True]), wanted=0.9) == 1


def test_equally_confident_answers_stand_or_fall_together() -> None:
    labels = two_classes([0.9, 0.6, 0.6, 0.6], [True, True, False, False])
    assert confidence_for_accuracy(*labels, wanted=0.9) == 0.9


@given(
    st.lists(st.tuples(st.integers(50, 99).map(lambda percent: percent / 100), st.booleans()), min_size=1),
    st.floats(0.5, 1),
)
@settings(deadline=None, max_examples=200)
def test_those_at_or_above_the_threshold_reach_the_accuracy_and_no_lower_one_does(
    answers: list[tuple[float, bool]], wanted: float
) -> None:
    threshold = confidence_for_accuracy(*two_classes([c for c, _ in answers], [r for _, r in answers]), wanted)

    def reached(lowest: float) -> bool:
        kept = [right for confidence, right in answers if confidence >= lowest]
        return not kept or sum(kept) / len(kept) >= wanted

    assert reached(threshold)
    assert not any(reached(confidence) for confidence, _ in answers if confidence < threshold)


# Each class


def test_precision_and_f1_worked_by_hand() -> None:
    matrix = np.array([[2, 2, 0], [1, 5, 0], [0, 0, 0]])  # class 2 neither occurs nor is answered
    assert precisions(matrix)[:2] == pytest.approx([2 / 3, 5 / 7])
    assert f1_scores(matrix)[:2] == pytest.approx([4 / 7, 10 / 13])
    assert np.isnan(precisions(matrix)[2])
    assert np.isnan(f1_scores(matrix)[2])


@given(answers(), answers())
@FEW
def test_stacked_matrices_are_scored_as_each_alone(first: tuple[Ints, Ints], second: tuple[Ints, Ints]) -> None:
    matrices = [confusion(*labels, CLASSES) for labels in (first, second)]
    for measure in (recalls, precisions, f1_scores):
        alone = [measure(matrix) for matrix in matrices]
        assert np.array_equal(measure(np.stack(matrices)), np.stack(alone), equal_nan=True)


@given(answers())
@FEW
def test_f1_lies_between_precision_and_recall(labels: tuple[Ints, Ints]) -> None:
    matrix = confusion(*labels, CLASSES)
    known = np.isfinite(recalls(matrix)) & np.isfinite(precisions(matrix))
    both = np.stack([recalls(matrix)[known], precisions(matrix)[known]])
    assert (f1_scores(matrix)[known] >= both.min(0) - 1e-12).all()
    assert (f1_scores(matrix)[known] <= both.max(0) + 1e-12).all()


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


# Telling two kinds apart

VALUES = st.lists(st.integers(-20, 20), min_size=1, max_size=20)


def test_auroc_worked_by_hand() -> None:
    # Pairs (negative, positive): (1, 2) and (1, 3) count 1, (2, 2) a half, (2, 3) 1: 3.5 of 4.
    assert auroc(np.array([1.0, 2.0]), np.array([2.0, 3.0])) == 0.875
    assert math.isnan(auroc(np.array([]), np.array([1.0])))


@given(VALUES, VALUES)
@FEW
def test_auroc_sees_only_the_order(negatives: list[int], positives: list[int]) -> None:
    below, above = np.array(negatives, float), np.array(positives, float)
    assert auroc(np.exp(below / 5), np.exp(above / 5)) == auroc(below, above)
    assert auroc(-below, -above) == pytest.approx(1 - auroc(below, above))


# Two models


def test_mcnemar_worked_by_hand() -> None:
    # Binomial(4, 1/2): P(at most 1) = (1 + 4) / 16, twice that is 0.625.
    assert mcnemar_p(3, 1) == 0.625
    assert mcnemar_p(0, 0) == 1
    assert mcnemar_p(10, 0) == pytest.approx(2 / 1024)
    assert 0 < mcnemar_p(700, 500) < 1e-7


@given(st.integers(0, 200), st.integers(0, 200))
@FEW
def test_mcnemar_does_not_mind_which_model_comes_first(only_first: int, only_second: int) -> None:
    assert mcnemar_p(only_first, only_second) == mcnemar_p(only_second, only_first)
    assert 0 < mcnemar_p(only_first, only_second) <= 1


def test_average_precision_worked_by_hand() -> None:
    positive = np.array([True, False, True])
    assert average_precision(positive, np.array([0.9, 0.8, 0.7])) == pytest.approx(5 / 6)
    assert average_precision(positive, np.array([0.9, 0.7, 0.7])) == pytest.approx(1 / 2 + 1 / 2 * 2 / 3)
    assert average_precision(positive, np.full(3, 0.5)) == pytest.approx(2 / 3)  # the share of positives
    assert average_precision(np.zeros(3, bool), np.arange(3.0)) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=30), st.randoms())
def test_average_precision_does_not_depend_on_the_order_of_equals(rows: list[tuple[bool, int]], random: Random) -> None:
    def precision() -> float | None:
        return average_precision(np.array([row[0] for row in rows]), np.array([float(row[1]) for row in rows]))

    before = precision()
    random.shuffle(rows)
    assert before == precision() or before == pytest.approx(precision())
    assert before is None or 0 < before <= 1


def test_the_sigmoid_of_any_number_is_finite() -> None:
    assert sigmoid(np.array([0.0, np.log(3), -1e4, 1e4])) == pytest.approx([0.5, 0.75, 0.0, 1.0])
