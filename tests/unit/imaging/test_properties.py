"""Measured properties: each worked by hand, and in its range for any image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from artnet.imaging.filters import StructureTensor, structure_tensor
from artnet.imaging.lab import to_lab
from artnet.imaging.properties import (
    PROPERTIES,
    anisotropy,
    colourfulness,
    hue_count,
    measure_properties,
    orientation_entropy,
    spectral_slope,
    stroke_coherence,
    symmetry,
    warm_share,
)

RANGES = {
    "colourfulness": (0, 260),
    "lightness": (0, 100),
    "contrast": (0, 50),
    "warm_share": (0, 1),
    "hue_count": (0, 20),
    "edge_density": (0, 1),
    "stroke_coherence": (0, 1),
    "anisotropy": (0, 1),
    "orientation_entropy": (0, math.log2(24)),
    "spectral_slope": (-12, 3),
    "symmetry": (-1, 1),
}
PIXELS = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3)))


@settings(max_examples=25)
@given(PIXELS)
def test_every_property_of_any_image_is_in_its_range(pixels: np.ndarray) -> None:
    measured = measure_properties(Image.fromarray(pixels))
    assert list(measured) == list(PROPERTIES) == list(RANGES)
    for name, value in measured.items():
        low, high = RANGES[name]
        assert low - 1e-5 <= value <= high + 1e-5, name


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (90, 90, 90)])
def test_a_plain_grey_image_has_its_lightness_alone(colour: tuple[int, int, int]) -> None:
    measured = measure_properties(Image.new("RGB", (30, 20), colour))
    assert measured.pop("lightness") == pytest.approx(float(to_lab(np.uint8([[colour]]))[0, 0, 0]), abs=1e-3)
    assert measured.pop("symmetry") == 1
    assert measured.pop("warm_share") == 0.5
    assert all(abs(value) < 1e-3 for value in measured.values()), measured


def test_a_prepared_view_has_the_properties_of_its_painting(painting: Image.Image) -> None:
    view = painting.resize((224, 224), Image.Resampling.BICUBIC)
    assert measure_properties(painting) == measure_properties(view)


def test_colourfulness_worked_by_hand() -> None:
    # Half red, half blue: R - G is 255 and 0, (R + G) / 2 - B is 127.5 and -255. Standard deviations 127.5 and 191.25,
    # means 127.5 and -63.75: hypot(127.5, 191.25) + 0.3 hypot(127.5, -63.75) = 229.853 + 42.765.
    assert colourfulness(np.uint8([[[255, 0, 0], [0, 0, 255]]])) == pytest.approx(272.618, abs=1e-2)
    assert colourfulness(np.uint8([[[9, 9, 9], [200, 200, 200]]])) == 0


def test_warm_colours_are_weighed_by_their_chroma() -> None:
    lab = np.float32([[[50, 30, 30], [50, 0, -10], [50, 0, 0]]])  # orange of chroma 42.43, blue of 10, grey
    assert warm_share(lab) == pytest.approx(42.426 / 52.426, abs=1e-4)


def test_hues_are_counted_where_they_are_frequent_and_coloured() -> None:
    red, green, blue, grey = [200, 20, 20], [20, 200, 20], [20, 20, 200], [120, 120, 120]
    pixels = np.uint8([[red] * 50 + [green] * 3 + [blue] * 2 + [grey] * 45])
    assert hue_count(pixels) == 2  # blue is under a twentieth of red, and grey has no hue
    assert hue_count(np.uint8([[grey]])) == 0


def test_strokes_in_one_direction_are_coherent_and_anisotropic() -> None:
    rows, columns = np.mgrid[:64, :64]
    stripes = (50 + 40 * np.sin(0.4 * (columns + rows))).astype(np.float32)
    tensor = structure_tensor(stripes, 1.0, 3.0)
    assert stroke_coherence(tensor) > 0.95
    assert anisotropy(tensor) > 0.95


def test_two_directions_are_coherent_where_they_are_and_even_in_all() -> None:
    # Left half along x, right half along y: everywhere one eigenvalue is 0, but in the mean they are equal.
    x, y = np.float32([[2, 0]]), np.float32([[0, 2]])
    tensor = StructureTensor(x * x, x * y, y * y)
    assert stroke_coherence(tensor) == 1
    assert anisotropy(tensor) == 0


def test_entropy_of_orientations_worked_by_hand() -> None:
    # Magnitudes 2, 1 and 1 in three orientations: shares 1/2, 1/4, 1/4, entropy 1.5 bits; opposite gradients are alike.
    x, y = np.float32([[2, 0, 0.70710678, 0]]), np.float32([[0, 1, 0.70710678, 0]])
    assert orientation_entropy(x, y) == pytest.approx(1.5)
    assert orientation_entropy(-x, -y) == pytest.approx(1.5)


@pytest.mark.parametrize("slope", [-1.0, -2.0, -3.0])
def test_a_spectrum_of_a_known_slope_has_that_slope(slope: float) -> None:
    rng, side = np.random.default_rng(0), 224
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
    radius[0, 0] = 1
    noise = np.fft.rfft2(rng.normal(size=(side, side))) * radius ** (slope / 2)
    assert spectral_slope(np.fft.irfft2(noise, (side, side)).astype(np.float32)) == pytest.approx(slope, abs=0.15)


def test_symmetry_is_the_correlation_with_the_mirror_image() -> None:
    assert symmetry(np.float32([[1, 5, 1], [2, 0, 2]])) == pytest.approx(1)
    assert symmetry(np.float32([[0, 0, 1, 1]])) == pytest.approx(-1)
    plane = np.random.default_rng(0).normal(size=(9, 12)).astype(np.float32)
    expected = np.corrcoef(plane.ravel(), plane[:, ::-1].ravel())[0, 1]
    assert symmetry(plane) == pytest.approx(expected, abs=1e-5)
