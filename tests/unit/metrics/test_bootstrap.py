"""Intervals are those of resampled paintings, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artnet.metrics.bootstrap import bootstrap_interval, resampled_interval, resampled_sums

FEW = settings(deadline=None, max_examples=25)


def test_sums_of_the_paintings_themselves_come_first() -> None:
    features = {"one": np.array([[1.0], [2.0]]), "two": np.array([[1.0, 10.0], [3.0, 30.0]])}
    sums = resampled_sums(features, rounds=7)
    assert sums["one"].shape == (8, 1)
    assert sums["one"][0].tolist() == [3]
    assert sums["two"][0].tolist() == [4, 40]


@given(st.integers(1, 40), st.integers(1, 120), st.integers(0, 99))
@FEW
def test_every_resample_draws_as_many_paintings_as_there_are(count: int, rounds: int, seed: int) -> None:
    sums = resampled_sums({"all": np.ones((count, 1))}, seed, rounds)["all"]
    assert (sums == count).all()


def test_all_features_see_the_same_resamples() -> None:
    values = np.random.default_rng(1).normal(size=(30, 1))
    sums = resampled_sums({"first": values, "second": 2 * values}, rounds=60)
    assert np.allclose(2 * sums["first"], sums["second"])
    alone = resampled_sums({"first": values}, rounds=60)["first"]
    assert np.allclose(alone, sums["first"])


def test_the_interval_of_a_proportion_is_the_textbooks() -> None:
    right = (np.arange(400) < 300).astype(float)  # by hand: 0.75 -+ 1.96 * sqrt(0.75 * 0.25 / 400) = 0.75 -+ 0.0424
    found = bootstrap_interval(resampled_sums({"right": right[:, None]}, rounds=2000)["right"][:, 0] / 400)
    assert found.value == 0.75
    assert (found.low, found.high) == pytest.approx((0.7076, 0.7924), abs=0.005)


def test_the_seed_decides_the_resamples_and_nothing_else() -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[index]
    features = {"values": np.random.default_rng(1).normal(size=(30, 1))}
    first, again, other = (resampled_sums(features, seed, 50)["values"] for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]


def test_an_interval_leaves_out_draws_in_which_there_was_nothing_to_measure() -> None:
    found = bootstrap_interval(np.array([0.5, np.nan, 0.5, 0.5]))
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)
    assert np.isnan(bootstrap_interval(np.array([np.nan, 0.5])).value)


def test_a_metric_computed_anew_has_the_interval_of_its_sums() -> None:
    right = (np.arange(400) < 300).astype(float)
    found = resampled_interval(lambda rows: float(right[rows].mean()), 400)
    assert found.value == 0.75
    assert (found.low, found.high) == pytest.approx((0.7076, 0.7924), abs=0.01)
    assert np.isnan(resampled_interval(lambda rows: 1.0, 0).value)
