"""The interval of a proportion is SciPy's."""

from __future__ import annotations

import math

import pytest

from artnet.metrics.proportion import wilson_interval


@pytest.mark.parametrize(("hits", "count"), [(0, 4), (3, 7), (5, 5), (90, 300)])
def test_the_interval_is_scipys(hits: int, count: int) -> None:
    stats = pytest.importorskip("scipy.stats", reason="needs pip install '.[dev]'")
    expected = stats.binomtest(hits, count).proportion_ci(method="wilson")
    found = wilson_interval(hits, count)
    assert (found.value, found.low, found.high) == pytest.approx((hits / count, expected.low, expected.high), abs=1e-6)


def test_of_nothing_nothing_is_known() -> None:
    assert math.isnan(wilson_interval(0, 0).value)
    assert not wilson_interval(0, 0).known
