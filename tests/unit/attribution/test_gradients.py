"""Integrated gradients and SmoothGrad on functions whose gradient is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from artnet.attribution.gradients import integrated_gradients, smooth_grad

QUICK = settings(max_examples=30, deadline=None)
VIEWS = arrays(np.float32, (3, 2, 2), elements=st.floats(-3, 3, width=32))


def test_integrated_gradients_worked_by_hand() -> None:
    # f = sum(x^2), so x * integral of 2 a x over a = x^2; the middles of the steps make it exact.
    view = np.array([1, 2, -3], np.float32).reshape(3, 1, 1)
    assert integrated_gradients(lambda x: 2 * x, view, 4).ravel().tolist() == [1, 4, 9]


@QUICK
@given(VIEWS)
def test_attributions_add_up_to_what_the_function_gains(view: np.ndarray) -> None:
    attributions = integrated_gradients(lambda x: 3 * x**2, view, 64)  # f = sum(x^3), f(0) = 0
    assert attributions.sum() == pytest.approx(float((view.astype(np.float64) ** 3).sum()), rel=1e-2, abs=1e-2)


def test_smooth_grad_worked_by_hand() -> None:
    # The gradient of sum(3 x) is 3 wherever the noise leads.
    view = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    assert smooth_grad(lambda x: np.full_like(x, 3), view, 5, np.random.default_rng(0)) == pytest.approx(3)


def test_smooth_grads_noise_is_a_share_of_the_range() -> None:
    noise: list[np.ndarray] = []
    view = np.zeros((3, 40, 40), np.float32)
    view[0, 0, 0] = 2
    smooth_grad(lambda x: noise.append(x[0] - view) or x, view, 4, np.random.default_rng(0))  # type: ignore[func-returns-value]
    assert np.std(noise) == pytest.approx(0.3, rel=0.05)


def test_noise_comes_from_the_seed() -> None:
    view = np.eye(2, dtype=np.float32)[None].repeat(3, 0)
    one, other = (smooth_grad(lambda x: x, view, 2, np.random.default_rng(seed)) for seed in (0, 1))
    assert one.tolist() != other.tolist()
