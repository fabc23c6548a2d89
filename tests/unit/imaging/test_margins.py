"""Margins are found where they are known to lie, and nothing of a painting is ever taken for one."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw

from artnet.imaging.margins import find_margins
from artnet.imaging.views import Box
from fixtures.margins import framed, textured

WHITE, BLACK, GREY, BLUE = (255, 255, 255), (0, 0, 0), (128, 128, 128), (40, 60, 150)


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    stream = BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


@pytest.mark.parametrize("colour", [WHITE, BLACK, GREY, BLUE])
def test_margins_of_any_colour_and_width_are_found(colour: tuple[int, ...]) -> None:
    assert find_margins(framed(textured(120, 80), 20, 5, 50, 30, colour)) == Box(20, 5, 140, 85)


@pytest.mark.parametrize(("left", "top"), [(30, 0), (0, 30)])
def test_the_bars_of_a_letterbox_are_found_at_two_sides_alone(left: int, top: int) -> None:
    box = find_margins(framed(textured(90, 90), left, top, left, top, BLACK))
    assert box == Box(left, top, left + 90, top + 90)


@pytest.mark.parametrize("quality", [50, 80, 95])
def test_margins_with_the_noise_of_a_scan_and_of_jpeg_end_near_the_painting(quality: int) -> None:
    paper = framed(textured(200, 150), 40, 30, 40, 60, (235, 230, 220))
    noise = np.random.default_rng(1).normal(0, 3, (*paper.size[::-1], 1))
    scan = as_jpeg(Image.fromarray((np.asarray(paper) + noise).clip(0, 255).astype(np.uint8)), quality)
    assert np.abs(np.subtract(find_margins(scan).as_tuple(), (40, 30, 240, 180))).max() <= 1


def test_specks_of_dust_do_not_end_a_margin() -> None:
    image = framed(textured(200, 150), 30, 30, 30, 30, WHITE)
    image.paste(BLACK, (100, 10, 103, 12))
    assert find_margins(image) == Box(30, 30, 230, 180)


def test_a_margin_over_a_third_of_the_image_stays() -> None:
    assert find_margins(framed(textured(100, 100), 50, 0, 0, 0, WHITE)) == Box(50, 0, 150, 100)
    assert find_margins(framed(textured(100, 100), 51, 0, 0, 0, WHITE)) == Box(0, 0, 151, 100)


def test_a_plain_image_has_no_margins() -> None:
    assert find_margins(Image.new("RGB", (60, 40), WHITE)) == Box(0, 0, 60, 40)


def test_a_figure_on_a_plain_ground_keeps_its_ground() -> None:
    image = Image.new("RGB", (200, 200), WHITE)
    image.paste(textured(80, 80), (60, 60))
    ImageDraw.Draw(image).ellipse((20, 40, 60, 90), BLACK)
    assert find_margins(image) == Box(0, 0, 200, 200)


def test_one_plain_band_inside_another_is_the_painting() -> None:
    image = framed(framed(textured(60, 60), 40, 40, 40, 40, BLUE), 20, 20, 20, 20, WHITE)
    assert find_margins(image) == Box(0, 0, *image.size)


def test_a_pale_sky_over_hills_is_not_cut() -> None:
    fade = np.linspace(250, 215, 200)[:, None, None] + np.random.default_rng(0).normal(0, 1.5, (200, 300, 3))
    image = Image.fromarray(fade.clip(0, 255).astype(np.uint8))
    hills = [(0, 200), (0, 90), (70, 60), (150, 100), (230, 70), (300, 110), (300, 200)]
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).polygon(hills, 255)
    image.paste(textured(300, 200), mask=mask)
    assert find_margins(image) == Box(0, 0, 300, 200)


def test_a_caption_is_kept_and_the_margin_below_it_goes_with_that_above_the_painting() -> None:
    image = framed(textured(200, 150), 30, 20, 30, 60, WHITE)
    for x in range(60, 200, 12):
        image.paste(BLACK, (x, 190, x + 6, 200))
    assert find_margins(image).bottom == 200


def test_a_painting_as_light_as_its_margin_is_found_by_the_margin_opposite() -> None:
    inside = textured(200, 150)
    inside.paste((250, 250, 250), (110, 0, 200, 20))
    assert find_margins(framed(inside, 30, 25, 30, 25, WHITE)) == Box(30, 25, 230, 175)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=20)
def test_a_turned_image_has_turned_margins(left: int, top: int, right: int, bottom: int) -> None:
    image = framed(textured(90, 130), left, top, right, bottom, GREY)
    box = find_margins(image)
    turned = find_margins(image.transpose(Image.Transpose.TRANSPOSE))
    assert turned == Box(box.top, box.left, box.bottom, box.right)
    mirrored = find_margins(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert (image.width - mirrored.right, image.width - mirrored.left) == (box.left, box.right)


@given(arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24), st.just(3)), elements=st.integers(0, 3)))
@settings(max_examples=50)
def test_of_any_image_at_least_a_third_of_each_side_is_left(pixels: np.ndarray) -> None:
    image = Image.fromarray(pixels * 80)
    box = find_margins(image)
    assert 0 <= box.left <= image.width / 3 and image.width * 2 / 3 <= box.right <= image.width
    assert 0 <= box.top <= image.height / 3 and image.height * 2 / 3 <= box.bottom <= image.height
    assert box.width > 0 and box.height > 0
