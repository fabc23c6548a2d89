"""CIELAB: known colours, there and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from artnet.imaging.lab import from_lab, to_lab


def lab_of(*colour: int) -> list[float]:
    return to_lab(np.array([[colour]], np.uint8)).ravel().tolist()


def test_greys_have_no_chroma_and_a_lightness_worked_by_hand() -> None:
    # Grey 119 is linear ((119 / 255 + 0.055) / 1.055) ** 2.4 = 0.18448, and L* = 116 * 0.18448 ** (1 / 3) - 16 = 50.03.
    assert lab_of(255, 255, 255) == pytest.approx([100, 0, 0], abs=1e-3)
    assert lab_of(119, 119, 119) == pytest.approx([50.03, 0, 0], abs=0.01)
    assert lab_of(0, 0, 0) == pytest.approx([0, 0, 0], abs=1e-4)


def test_the_primaries_are_where_they_are_published() -> None:
    assert lab_of(255, 0, 0) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    assert lab_of(0, 255, 0) == pytest.approx([87.73, -86.18, 83.18], abs=0.02)
    assert lab_of(0, 0, 255) == pytest.approx([32.30, 79.19, -107.86], abs=0.02)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_every_colour_comes_back(colour: tuple[int, int, int]) -> None:
    pixels = np.array([[colour]], np.uint8)
    assert from_lab(to_lab(pixels)).tolist() == pixels.tolist()


def test_what_lies_outside_of_srgb_is_clipped() -> None:
    assert from_lab(np.float32([[150, 0, 0], [-5, 0, 0]])).tolist() == [[255] * 3, [0] * 3]


def test_lightness_is_that_of_pillows_colour_profiles() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    converted = ImageCms.applyTransform(Image.fromarray(pixels), transform)
    assert converted is not None
    lightness = np.asarray(converted)[..., 0] / 255 * 100
    assert np.abs(to_lab(pixels)[..., 0] - lightness).mean() < 1  # theirs is adapted to D50
