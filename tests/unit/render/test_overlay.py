"""Drawing: even colour maps, overlays that leave the painting alone."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from artnet.render.overlay import Side, colour, colour_table, overlay, two_sided


def lightness(rgb: np.ndarray) -> np.ndarray:
    """Give CIE L* of sRGB bytes (..., 3), by the formulas of IEC 61966-2-1 and CIE 1976."""
    values = rgb / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)


SIDES: tuple[Side, ...] = ("only", "for", "against")


@pytest.mark.parametrize("side", SIDES)
def test_the_colour_maps_grow_lighter_in_even_steps(side: Side) -> None:
    steps = np.diff(lightness(colour_table(side).astype(float))[::15])
    assert (steps > 0).all()
    assert steps.max() < 2 * steps.min()


@pytest.mark.parametrize("side", SIDES)
def test_no_colour_of_a_map_is_out_of_gamut(side: Side) -> None:
    assert len(np.unique(colour_table(side), axis=0)) > 250  # clipped colours would repeat


def test_what_speaks_against_is_cold_and_what_speaks_for_is_warm() -> None:
    against, nothing, speaking = two_sided(np.array([-0.6, 0, 0.6], np.float32)).astype(int)
    assert against[2] > against[0] + 50  # blue over red
    assert speaking[0] > speaking[2] + 50
    assert nothing.tolist() == colour_table("for")[0].tolist()


def test_colours_are_looked_up_at_both_ends() -> None:
    assert colour(np.array([0.0, 1.0, 7.0], np.float32)).tolist() == colour_table()[[0, 255, 255]].tolist()


def test_where_there_is_no_evidence_the_painting_stays(painting: Image.Image) -> None:
    heatmap = np.zeros((300, 420), np.float32)
    assert overlay(painting, heatmap, in_colour=True).tobytes() == painting.tobytes()
    grey = np.asarray(overlay(painting, heatmap))
    assert np.abs(grey.astype(int) - np.asarray(painting.convert("L"))[..., None]).max() <= 1


def test_an_overlay_worked_by_hand() -> None:
    # Evidence 1 at opacity 0.5 on black is half of the map's last colour.
    found = np.asarray(overlay(Image.new("RGB", (1, 1)), np.ones((1, 1), np.float32), 0.5))
    assert found[0, 0] == pytest.approx(colour_table()[255] / 2, abs=0.5)


def test_an_overlay_in_bands_equals_one_of_the_whole(painting: Image.Image) -> None:
    tall = painting.resize((30, 1000))
    heatmap = np.random.default_rng(0).random((1000, 30)).astype(np.float32)
    lower = overlay(tall.crop((0, 300, 30, 1000)), heatmap[300:])
    assert np.asarray(overlay(tall, heatmap))[300:].tolist() == np.asarray(lower).tolist()
