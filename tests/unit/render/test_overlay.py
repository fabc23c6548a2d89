"""Overlays: a heatmap blended over an image, which is left alone where the heatmap is zero."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from artnet.attribution.explain import explain
from artnet.imaging.views import Box, placement
from artnet.render.colormap import colormap
from artnet.render.overlay import OverlayStyle, depth_overlay, outline_painting, overlay
from fixtures.engine import tiny_classifier


def test_where_the_heatmap_is_zero_the_image_stays(painting: Image.Image) -> None:
    heatmap = np.zeros((300, 420), np.float32)
    assert overlay(painting, heatmap, OverlayStyle(in_colour=True)).tobytes() == painting.tobytes()
    grey = np.asarray(overlay(painting, heatmap))
    assert np.abs(grey.astype(int) - np.asarray(painting.convert("L"))[..., None]).max() <= 1


def test_an_overlay_worked_by_hand() -> None:
    # A heatmap of 1 at opacity 0.5 on black is half of the map's last colour.
    blended = np.asarray(overlay(Image.new("RGB", (1, 1)), np.ones((1, 1), np.float32), OverlayStyle(0.5)))
    assert blended[0, 0] == pytest.approx(colormap("sequential")[255] / 2, abs=0.5)


def test_an_overlay_in_bands_equals_one_of_the_whole(painting: Image.Image) -> None:
    tall = painting.resize((30, 1000))
    heatmap = np.random.default_rng(0).random((1000, 30)).astype(np.float32)
    lower = overlay(tall.crop((0, 300, 30, 1000)), heatmap[300:])
    assert np.asarray(overlay(tall, heatmap))[300:].tolist() == np.asarray(lower).tolist()


def test_a_depth_is_drawn_at_the_images_own_size_or_as_a_thumbnail(painting: Image.Image) -> None:
    explanation = explain(tiny_classifier(), painting, depth=4)
    assert depth_overlay(explanation, 4).size == painting.size
    assert depth_overlay(explanation, 4, longest_px=100).size == (100, 71)
    assert depth_overlay(explanation, 4, longest_px=840).size == painting.size
    assert depth_overlay(explanation, 4, longest_px=840, enlarge=True).size == (840, 600)


def test_a_signed_heatmap_is_drawn_in_other_colours_even_where_nothing_is_negative(painting: Image.Image) -> None:
    heatmap = np.full((300, 420), 0.5, np.float32)
    assert overlay(painting, heatmap).tobytes() != overlay(painting, heatmap, signed=True).tobytes()


def test_a_line_around_the_painting_tells_that_its_margins_were_left_out() -> None:
    place, image = placement(100, 80, 28, "stretch", Box(20, 10, 80, 70)), Image.new("RGB", (100, 80), "white")
    outlined = np.asarray(outline_painting(image, place))
    assert outlined[9, 50].tolist() == outlined[40, 80].tolist() != [255, 255, 255]
    assert (outlined[10:70, 20:80] == 255).all()
    whole = placement(100, 80, 28, "stretch")
    assert outline_painting(image, whole) is image
