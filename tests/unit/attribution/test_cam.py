"""Each map worked by hand from the formula of its paper, and what holds for any input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from artnet.attribution.cam import CAMS, eigen_cam, grad_cam, grad_cam_plus_plus, hires_cam, layer_cam, xgrad_cam
from artnet.attribution.projection import normalise

QUICK = settings(max_examples=30, deadline=None)
GRIDS = arrays(np.float32, (2, 2, 3), elements=st.floats(-10, 10, width=32))
# Channel 1: activation (1, 2), gradient (1, 3). Channel 2: activation (3, 1), gradient (-2, 0).
ACTIVATION = np.array([[[1, 2]], [[3, 1]]], np.float32)
GRADIENT = np.array([[[1, 3]], [[-2, 0]]], np.float32)


def test_grad_cam_worked_by_hand() -> None:
    # The means are 2 and -1: 2 * (1, 2) - 1 * (3, 1) = (-1, 3); the negative part is cut off.
    assert grad_cam(ACTIVATION, GRADIENT).tolist() == [[0, 3]]


def test_grad_cam_plus_plus_worked_by_hand() -> None:
    # Channel 1, sum of A = 3: alpha = 1 / (2 + 3) and 9 / (18 + 81); w = 1/5 + 3 * 1/11. Channel 2 has no positive one.
    weight = 1 / 5 + 3 / 11
    assert grad_cam_plus_plus(ACTIVATION, GRADIENT) == pytest.approx(weight * np.array([[1, 2]]), rel=1e-5)


def test_xgrad_cam_worked_by_hand() -> None:
    # w = (1 * 1 + 3 * 2) / 3 = 7/3 and (-2 * 3) / 4 = -3/2; 7/3 * (1, 2) - 3/2 * (3, 1) = (-13/6, 19/6).
    assert xgrad_cam(ACTIVATION, GRADIENT) == pytest.approx(np.array([[0, 19 / 6]]))


def test_hires_cam_worked_by_hand() -> None:
    # (1 * 1 - 2 * 3, 3 * 2 + 0) = (-5, 6).
    assert hires_cam(ACTIVATION, GRADIENT).tolist() == [[0, 6]]


def test_layer_cam_worked_by_hand() -> None:
    # Only positive gradients count: (1 * 1, 3 * 2).
    assert layer_cam(ACTIVATION, GRADIENT).tolist() == [[1, 6]]


def test_eigen_cam_worked_by_hand() -> None:
    # Both channels vary together, (0, 0) and (2, 4): the component is (1, 2) / sqrt 5, projections are -sqrt 5, sqrt 5.
    activation = np.array([[[0, 2]], [[0, 4]]], np.float32)
    assert eigen_cam(activation, activation) == pytest.approx(np.array([[0, np.sqrt(5)]]))


@pytest.mark.parametrize("name", [name for name in CAMS if name != "gradcam++"])
@QUICK
@given(activation=GRIDS, gradient=GRIDS, factor=st.floats(0.5, 100))
def test_scaling_all_logits_changes_no_map(
    name: str, activation: np.ndarray, gradient: np.ndarray, factor: float
) -> None:
    plain, larger = (CAMS[name].compute(activation, gradient * np.float32(each)) for each in (1, factor))
    assert np.allclose(normalise(plain), normalise(larger), atol=1e-3) or plain.max() < 1e-2


@pytest.mark.parametrize("name", CAMS)
@QUICK
@given(activation=GRIDS, gradient=GRIDS)
def test_a_map_is_finite_and_at_least_zero(name: str, activation: np.ndarray, gradient: np.ndarray) -> None:
    grid = CAMS[name].compute(np.maximum(activation, 0), gradient)
    assert grid.shape == (2, 3)
    assert np.isfinite(grid).all()
    assert grid.min() >= 0


@pytest.mark.parametrize("name", CAMS)
def test_a_silent_layer_gives_a_map_of_zeros(name: str) -> None:
    assert CAMS[name].compute(np.zeros((3, 2, 2), np.float32), np.ones((3, 2, 2), np.float32)).max() == 0


@QUICK
@given(GRIDS, GRIDS)
def test_the_map_of_the_opposite_target_is_the_other_part_of_grad_cam(
    activation: np.ndarray, gradient: np.ndarray
) -> None:
    signed = np.einsum("k,khw->hw", gradient.mean((1, 2)), activation)
    assert np.allclose(grad_cam(activation, gradient) - grad_cam(activation, -gradient), signed, atol=1e-4)
