"""Blur, gradient, structure tensor, median and mode: worked by hand, for any plane, and as in SciPy or Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter
from scipy.ndimage import median_filter as scipy_median_filter

from artnet.imaging.filters import gaussian_blur, gradient, median_filter, mode_filter, structure_tensor

PLANES = arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 255))


@pytest.mark.parametrize("sigma", [0.7, 1.0, 4.5])
def test_a_plane_is_blurred_as_scipy_blurs_it(sigma: float) -> None:
    plane = np.random.default_rng(0).normal(size=(30, 21)).astype(np.float32)
    expected = gaussian_filter(plane, sigma, mode="nearest", truncate=3.0)
    np.testing.assert_allclose(gaussian_blur(plane, sigma), expected, atol=1e-5)


@given(PLANES)
def test_a_blur_stays_within_the_values(plane: np.ndarray) -> None:
    blurred = gaussian_blur(plane, 1.0)
    assert blurred.shape == plane.shape
    assert plane.min() - 1e-3 <= blurred.min() <= blurred.max() <= plane.max() + 1e-3


def test_gradient_worked_by_hand() -> None:
    x, y = gradient(np.float32([[0, 2, 6], [1, 3, 7]]))
    assert x.tolist() == [[1, 3, 2], [1, 3, 2]]  # half of what the plane rises over two pixels, one at the edges
    assert y.tolist() == [[0.5] * 3] * 2


def test_the_tensor_of_a_slope_has_one_direction() -> None:
    # A plane that rises by 3 a pixel to the right and by 4 down: xx = 9, xy = 12, yy = 16, eigenvalues 25 and 0.
    rows, columns = np.mgrid[:40, :40].astype(np.float32)
    tensor = structure_tensor(3 * columns + 4 * rows, 1.0, rho=1.0)
    middle = (20, 20)
    entries = [float(entry[middle]) for entry in (tensor.xx, tensor.xy, tensor.yy)]
    assert entries == pytest.approx([9, 12, 16], rel=1e-4)
    assert [float(value[middle]) for value in tensor.eigenvalues()] == pytest.approx([25, 0], abs=1e-2)


@given(PLANES)
def test_the_tensors_of_several_planes_add_up(plane: np.ndarray) -> None:
    single, double = structure_tensor(plane, 1.0), structure_tensor(np.stack([plane, plane], -1), 1.0)
    np.testing.assert_allclose(double.xx, 2 * single.xx, rtol=1e-5)
    larger, smaller = single.eigenvalues()
    assert (larger >= smaller).all()
    assert (smaller >= 0).all()


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))), st.integers(1, 4))
def test_the_median_of_any_pixels_is_that_of_scipy(pixels: np.ndarray, radius: int) -> None:
    size = 2 * radius + 1
    expected = scipy_median_filter(pixels, size=(size, size, 1), mode="nearest")
    assert (median_filter(pixels, radius) == expected).all()


def test_mode_worked_by_hand() -> None:
    plane = np.uint8([[1, 2, 2], [3, 3, 2]])  # at the left end 1 and 2 occur once, 3 twice; elsewhere 2 the most
    assert mode_filter(plane, 1).tolist() == [[3, 2, 2], [3, 2, 2]]
    assert mode_filter(np.uint8([[7, 5]]), 1).tolist() == [[5, 5]]  # of two equally frequent values the lesser


@pytest.mark.parametrize("radius", [1, 3])
def test_the_mode_of_few_values_is_that_of_pillow(radius: int) -> None:
    plane = np.random.default_rng(0).integers(0, 3, (20, 31), np.uint8)
    expected = np.asarray(Image.fromarray(plane).filter(ImageFilter.ModeFilter(2 * radius + 1)))
    inside = slice(radius, -radius)  # Pillow lets a pixel be where no value occurs three times
    assert (mode_filter(plane, radius)[inside, inside] == expected[inside, inside]).all()
