"""Two models on the same paintings."""

from __future__ import annotations

import numpy as np
import pytest

from artnet.evaluation.comparison import compare


def test_a_comparison_worked_by_hand() -> None:
    y_true = np.zeros(8, np.int64)
    right, wrong = [0.9, 0.1], [0.2, 0.8]
    first = np.array([right] * 6 + [wrong] * 2)
    second = np.array([right] * 3 + [wrong] * 3 + [right] + [wrong])
    found = compare(("one", "two"), y_true, first, second)
    assert (found.both_correct, found.only_first, found.only_second, found.neither) == (3, 3, 1, 1)
    assert (found.first_accuracy.value, found.second_accuracy.value, found.difference.value) == (0.75, 0.5, 0.25)
    assert found.p_value == 0.625  # twice the chance of at most one head in four throws


def test_a_model_does_not_differ_from_itself() -> None:
    scores = np.random.default_rng(0).dirichlet(np.ones(3), 40)
    found = compare(("one", "one"), np.arange(40) % 3, scores, scores)
    assert (found.difference.low, found.difference.value, found.difference.high) == (0, 0, 0)
    assert found.p_value == 1


def test_paired_intervals_are_narrower_than_two_apart() -> None:
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 2, 300)
    first = np.eye(2)[np.where(rng.random(300) < 0.7, y_true, 1 - y_true)]
    second = first.copy()
    second[:6] = 1 - second[:6]
    found = compare(("one", "two"), y_true, first, second)
    apart = (found.first_accuracy.high - found.first_accuracy.low) * np.sqrt(2)
    assert found.difference.high - found.difference.low < apart / 2
    assert found.difference.low == pytest.approx(found.difference.value, abs=0.03)
