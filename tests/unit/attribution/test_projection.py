"""Heatmaps over the image: its own size, no glowing bands, regions without seams."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from artnet.attribution.projection import RegionMap, fuse_regions, mask_letterbox, normalise, project_to_image
from artnet.imaging.views import Box, placement

QUICK = settings(max_examples=30, deadline=None)
GRIDS = arrays(np.float32, (4, 5), elements=st.floats(-10, 10, width=32))


@QUICK
@given(GRIDS)
def test_a_scaled_map_is_finite_and_within_minus_1_and_1(values: np.ndarray) -> None:
    heatmap = normalise(values)
    assert np.isfinite(heatmap).all()
    assert np.abs(heatmap).max() <= 1
    assert normalise(np.maximum(values, 0)).min() >= 0


def test_a_map_of_zeros_stays_one() -> None:
    assert normalise(np.zeros((2, 2), np.float32)).tolist() == [[0, 0], [0, 0]]


@QUICK
@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from(["letterbox", "stretch"]))
def test_a_heatmap_has_the_images_size(width: int, height: int, fit: str) -> None:
    grid = np.random.default_rng(0).random((7, 7)).astype(np.float32)
    heatmap = project_to_image(grid, placement(width, height, 224, fit))  # type: ignore[arg-type]
    assert heatmap.shape == (height, width)
    assert 0 <= heatmap.min() and heatmap.max() <= 1


def test_the_letterboxs_bands_never_glow() -> None:
    grid = np.zeros((8, 8), np.float32)
    grid[:2] = grid[6:] = 1  # everything lies in the bands of a painting twice as wide as high
    placed = placement(800, 400, 256, "letterbox")
    assert project_to_image(grid, placed).max() == 0
    assert mask_letterbox(grid, placed).max() == 0


def test_a_heatmap_lies_where_the_image_lies_in_its_view() -> None:
    grid = np.zeros((8, 8), np.float32)
    grid[2, 0] = 1  # the upper left corner of what the letterbox shows
    heatmap = project_to_image(grid, placement(800, 400, 256, "letterbox"))
    assert heatmap[0, 0] == 1
    assert heatmap[200:, 400:].max() == 0


def test_a_region_counts_half_within_its_box_and_fades_towards_its_edges() -> None:
    whole, region = np.full((4, 4), 0.2, np.float32), np.full((4, 4), 1, np.float32)
    heatmap = fuse_regions(whole, placement(400, 300, 100, "stretch"), [RegionMap(Box(100, 100, 200, 200), region)])
    assert heatmap.shape == (300, 400)
    assert np.isclose(heatmap[150, 150], 0.6)  # the mean of 0.2 and 1
    assert np.isclose(heatmap[50, 50], 0.2)
    assert np.abs(np.diff(heatmap, axis=1)).max() < 0.05  # no seam


def test_a_region_in_the_corner_reaches_the_images_edge() -> None:
    whole, region = np.zeros((4, 4), np.float32), np.ones((4, 4), np.float32)
    heatmap = fuse_regions(whole, placement(400, 300, 100, "stretch"), [RegionMap(Box(0, 0, 100, 100), region)])
    assert np.isclose(heatmap[0, 0], 0.5)


def test_regions_equal_to_the_whole_change_nothing() -> None:
    even = np.full((7, 7), 0.7, np.float32)
    boxes = [Box(0, 0, 224, 224), Box(376, 276, 600, 500), Box(188, 138, 412, 362)]
    heatmap = fuse_regions(
        even, placement(600, 500, 224, "stretch"), [RegionMap(box, even) for box in boxes], (300, 250)
    )
    assert heatmap.shape == (250, 300)
    assert np.allclose(heatmap, 0.7, atol=1e-5)


def test_a_heatmap_is_zero_on_the_margins_and_lies_over_the_painting_alone() -> None:
    placed = placement(400, 300, 224, "stretch", Box(100, 60, 300, 240))
    heatmap = project_to_image(np.ones((7, 7), np.float32), placed)
    assert heatmap[60:240, 100:300].min() == 1
    assert heatmap.sum() == 180 * 200
    region = RegionMap(Box(100, 60, 200, 160), np.ones((7, 7), np.float32))
    fused = fuse_regions(np.ones((7, 7), np.float32), placed, [region], (200, 150))
    assert np.allclose(fused[30:120, 50:150], 1) and np.isclose(fused.sum(), 90 * 100)
