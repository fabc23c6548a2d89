"""Edits: each worked by hand, the same at neutral parameters, and of the same size for any image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter, median_filter

from artnet.errors import UsageError
from artnet.imaging.edits import (
    crop_pixel,
    draw_outlines,
    flatten_areas,
    keep_detail,
    limit_palette,
    mirror,
    reencode,
    remove_border,
    scale_brightness,
    scale_chroma,
    scale_contrast,
    shift_lightness,
    shuffle_blocks,
    smooth_strokes,
    turn_upside_down,
)
from artnet.imaging.lab import to_lab

Edit = Callable[[np.ndarray], np.ndarray]
PIXELS = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3)))
EDITS: dict[str, Edit] = {
    "scale_chroma": lambda pixels: scale_chroma(pixels, 0),
    "shift_lightness": lambda pixels: shift_lightness(pixels, -20),
    "scale_contrast": lambda pixels: scale_contrast(pixels, 0.5),
    "limit_palette": lambda pixels: limit_palette(pixels, 8),
    "smooth_strokes": lambda pixels: smooth_strokes(pixels, 0.01),
    "keep_detail": lambda pixels: keep_detail(pixels, 0.02),
    "draw_outlines": draw_outlines,
    "flatten_areas": lambda pixels: flatten_areas(pixels, 12, 0.015),
    "shuffle_blocks": lambda pixels: shuffle_blocks(pixels, [3, 2, 1, 0]),
    "mirror": mirror,
    "turn_upside_down": turn_upside_down,
    "remove_border": lambda pixels: remove_border(pixels, 0.2),
    "reencode": lambda pixels: reencode(pixels, 85),
    "crop_pixel": lambda pixels: crop_pixel(pixels, 0),
    "scale_brightness": lambda pixels: scale_brightness(pixels, 1.02),
}
NEUTRAL: dict[str, Edit] = {
    "scale_chroma": lambda pixels: scale_chroma(pixels, 1),
    "shift_lightness": lambda pixels: shift_lightness(pixels, 0),
    "scale_contrast": lambda pixels: scale_contrast(pixels, 1),
    "shuffle_blocks": lambda pixels: shuffle_blocks(pixels, range(16)),
    "mirror twice": lambda pixels: mirror(mirror(pixels)),
    "turn_upside_down twice": lambda pixels: turn_upside_down(turn_upside_down(pixels)),
    "remove_border": lambda pixels: remove_border(pixels, 0),
    "scale_brightness": lambda pixels: scale_brightness(pixels, 1),
}


def grey(rows: list[list[int]]) -> np.ndarray:
    """Return grey pixels (H, W, 3)."""
    return np.repeat(np.array(rows, np.uint8)[..., None], 3, axis=-1)


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@settings(max_examples=20)
@given(pixels=PIXELS)
def test_an_edit_leaves_size_and_type_and_its_argument(edit: Edit, pixels: np.ndarray) -> None:
    before = pixels.copy()
    edited = edit(pixels)
    assert (edited.shape, edited.dtype) == (pixels.shape, np.uint8)
    assert (pixels == before).all()


@pytest.mark.parametrize("edit", NEUTRAL.values(), ids=NEUTRAL)
@settings(max_examples=20)
@given(pixels=PIXELS)
def test_neutral_parameters_change_nothing(edit: Edit, pixels: np.ndarray) -> None:
    assert (edit(pixels) == pixels).all()


def test_without_chroma_a_colour_is_the_grey_of_its_lightness() -> None:
    # Red has L* 53.24; the grey of that lightness is linear ((53.24 + 16) / 116) ** 3 = 0.2126, in sRGB 127.
    assert scale_chroma(np.uint8([[[255, 0, 0]]]), 0).tolist() == [[[127, 127, 127]]]
    lab = to_lab(scale_chroma(np.uint8([[[90, 120, 150]]]), 0.5)).ravel()
    assert lab == pytest.approx(to_lab(np.uint8([90, 120, 150])) * [1, 0.5, 0.5], abs=0.6)


def test_lightness_is_shifted_by_units_of_l_star() -> None:
    # Grey 119 has L* 50.03; 30.03 is sRGB 71, 70.03 is 171.
    assert shift_lightness(grey([[119]]), -20)[0, 0, 0] == 71
    assert shift_lightness(grey([[119]]), 20)[0, 0, 0] == 171
    assert shift_lightness(grey([[10, 250]]), 20)[0, 1, 0] == 255


def test_contrast_is_halved_around_the_mean_lightness() -> None:
    # Black and white have L* 0 and 100, mean 50; halved, 25 and 75 are sRGB 59 and 185.
    assert scale_contrast(grey([[0, 255]]), 0.5)[0, :, 0].tolist() == [59, 185]


def test_a_palette_is_made_of_the_paintings_own_colours() -> None:
    pixels = np.uint8([[[250, 0, 0], [254, 0, 0], [0, 0, 250], [0, 0, 254]]])
    limited = limit_palette(pixels, 2)
    assert limited[0, 0].tolist() == limited[0, 1].tolist()
    assert limited[0, 2].tolist() == limited[0, 3].tolist()
    assert np.abs(limited.astype(int) - pixels).max() <= 4


@given(PIXELS, st.integers(1, 9))
def test_a_palette_has_no_more_colours_than_it_may(pixels: np.ndarray, colours: int) -> None:
    assert len(np.unique(limit_palette(pixels, colours).reshape(-1, 3), axis=0)) <= colours


def test_strokes_are_smoothed_by_the_median_and_edges_stay() -> None:
    pixels = grey([[10, 10, 10, 200, 200], [10, 99, 10, 200, 200], [10, 10, 10, 200, 200]])
    smoothed = smooth_strokes(pixels, 0.1)  # a pixel in each direction
    assert smoothed[1, 1, 0] == 10
    assert smoothed[:, :, 0].tolist() == [[10, 10, 10, 200, 200]] * 3


def test_strokes_are_smoothed_as_scipy_does() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    expected = median_filter(pixels, size=(5, 5, 1), mode="nearest")
    assert (smooth_strokes(pixels, 0.07) == expected).all()


def test_detail_is_what_a_blur_takes_away() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    blurred = gaussian_filter(pixels.astype(float), (2, 2, 0), mode="nearest", truncate=3.0)
    assert np.abs(keep_detail(pixels, 0.04) - np.clip(pixels - blurred + 127.5, 0, 255)).max() <= 1
    assert (keep_detail(grey([[60] * 9] * 9), 0.1) == 128).all()


def test_outlines_are_dark_where_lightness_jumps_and_a_plain_area_has_none() -> None:
    pixels = grey([[0] * 10 + [255] * 10] * 20)
    outlines = draw_outlines(pixels)[:, :, 0]
    assert (outlines[:, 9:11] < 10).all()
    assert (outlines[:, :5] > 250).all()
    assert (draw_outlines(grey([[60] * 9] * 9)) == 255).all()


def test_an_edge_between_colours_of_one_lightness_is_an_outline_too() -> None:
    red, green = [255, 0, 0], [0, 142, 0]  # L* 53.2 and 51.2
    assert draw_outlines(np.uint8([[red] * 10 + [green] * 10] * 20))[10, 10, 0] < 10


def test_areas_take_the_colour_that_is_most_frequent_around() -> None:
    pixels = grey([[0, 0, 0, 0, 0], [0, 0, 255, 0, 0], [0, 0, 0, 0, 0]])
    assert (flatten_areas(pixels, 2, 0.2) == 0).all()


def test_blocks_go_where_the_order_says_and_the_rest_stays() -> None:
    pixels = grey([[1, 2, 9], [3, 4, 9], [8, 8, 8]])
    assert shuffle_blocks(pixels, [3, 2, 1, 0])[:, :, 0].tolist() == [[4, 3, 9], [2, 1, 9], [8, 8, 8]]


@pytest.mark.parametrize("order", [[], [0, 1], [0, 1, 2, 2], [1, 2, 3, 4]])
def test_an_order_that_is_none_is_refused(order: list[int]) -> None:
    with pytest.raises(UsageError, match="each of n x n blocks once"):
        shuffle_blocks(grey([[1, 2], [3, 4]]), order)


def test_images_are_mirrored_and_turned() -> None:
    pixels = grey([[1, 2, 3], [4, 5, 6]])
    assert mirror(pixels)[:, :, 0].tolist() == [[3, 2, 1], [6, 5, 4]]
    assert turn_upside_down(pixels)[:, :, 0].tolist() == [[6, 5, 4], [3, 2, 1]]


def test_a_border_becomes_the_mean_colour() -> None:
    pixels = grey([[0] * 5, [0] * 5, [0, 0, 250, 0, 0], [0] * 5, [0] * 5])
    bordered = remove_border(pixels, 0.2)[:, :, 0]
    assert bordered.tolist() == [[10] * 5, [10, 0, 0, 0, 10], [10, 0, 250, 0, 10], [10, 0, 0, 0, 10], [10] * 5]


@pytest.mark.parametrize(("corner", "inside"), [(0, (2, 2)), (1, (2, 0)), (2, (0, 0)), (3, (0, 2))])
def test_a_crop_takes_a_row_and_a_column_from_a_corner(corner: int, inside: tuple[int, int]) -> None:
    pixels = grey([[0] * 3] * 3)
    pixels[inside] = 200
    cropped = crop_pixel(pixels, corner)[:, :, 0].astype(int)
    assert cropped[inside] == cropped.max() > 100
    assert cropped.sum() > 200  # enlarged


def test_brightness_is_a_factor() -> None:
    assert scale_brightness(grey([[100, 254]]), 1.02)[0, :, 0].tolist() == [102, 255]


def test_encoding_again_changes_little() -> None:
    pixels = np.uint8(np.add.outer(np.arange(40), np.arange(40))[..., None] * [1, 2, 3])
    difference = np.abs(reencode(pixels, 85).astype(int) - pixels)
    assert 0 < difference.mean() < 3
