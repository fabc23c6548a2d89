"""Colour maps whose lightness grows in even steps."""

from __future__ import annotations

import numpy as np
import pytest

from artnet.render.colormap import ColormapName, colormap, diverging, sequential


def lightness(rgb: np.ndarray) -> np.ndarray:
    """Return CIE L* of sRGB bytes (..., 3), by the formulas of IEC 61966-2-1 and CIE 1976."""
    values = rgb / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)


NAMES: tuple[ColormapName, ...] = ("sequential", "positive", "negative")


@pytest.mark.parametrize("name", NAMES)
def test_the_colour_maps_grow_lighter_in_even_steps(name: ColormapName) -> None:
    steps = np.diff(lightness(colormap(name).astype(float))[::15])
    assert (steps > 0).all()
    assert steps.max() < 2 * steps.min()


@pytest.mark.parametrize("name", NAMES)
def test_no_colour_of_a_map_is_out_of_gamut(name: ColormapName) -> None:
    assert len(np.unique(colormap(name), axis=0)) > 250  # clipped colours would repeat


def test_negative_values_are_cold_and_positive_ones_warm() -> None:
    negative, zero, positive = diverging(np.array([-0.6, 0, 0.6], np.float32)).astype(int)
    assert negative[2] > negative[0] + 50  # blue over red
    assert positive[0] > positive[2] + 50
    assert zero.tolist() == colormap("positive")[0].tolist()


def test_colours_are_looked_up_at_both_ends() -> None:
    assert sequential(np.array([0.0, 1.0, 7.0], np.float32)).tolist() == colormap("sequential")[[0, 255, 255]].tolist()
