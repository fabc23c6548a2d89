"""Each number is worked by hand once, and holds for any labels and scores."""

from __future__ import annotations

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
    confusion_matrix,
    f1_scores,
    macro_f1,
    mcnemar_p,
    precisions,
    recalls,
    sigmoid,
    softmax,
    top_k_accuracy,
)

CLASSES = 4
FEW = settings(deadline=None, max_examples=30)
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
    matrix = confusion_matrix(ints(0, 0, 0, 1, 2), ints(0, 1, 1, 1, 0), classes=3)
    assert matrix.tolist() == [[1, 2, 0], [0, 1, 0], [1, 0, 0]]
    assert matrix.dtype == np.int64


@given(answers())
@FEW
def test_confusion_counts_every_answer_once(labels: tuple[Ints, Ints]) -> None:
    y_true, y_pred = labels
    matrix = confusion_matrix(y_true, y_pred, CLASSES)
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
    repeated = np.resize(y_pred, len(even))
    assert balanced_accuracy(even, repeated, CLASSES) == pytest.approx(accuracy(even, repeated))


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
    matrices = [confusion_matrix(*labels, CLASSES) for labels in (first, second)]
    for measure in (recalls, precisions, f1_scores):
        alone = [measure(matrix) for matrix in matrices]
        assert np.array_equal(measure(np.stack(matrices)), np.stack(alone), equal_nan=True)


@given(answers())
@FEW
def test_f1_lies_between_precision_and_recall(labels: tuple[Ints, Ints]) -> None:
    matrix = confusion_matrix(*labels, CLASSES)
    known = np.isfinite(recalls(matrix)) & np.isfinite(precisions(matrix))
    both = np.stack([recalls(matrix)[known], precisions(matrix)[known]])
    assert (f1_scores(matrix)[known] >= both.min(0) - 1e-12).all()
    assert (f1_scores(matrix)[known] <= both.max(0) + 1e-12).all()


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
