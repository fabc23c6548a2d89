"""Every box lies inside the painting and is what was cut; places carry over between painting and view."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from artnet.errors import UsageError
from artnet.imaging.views import (
    FITS,
    REDUCING_GAP,
    REGIONS,
    VIEWS,
    WHOLE,
    Box,
    Fit,
    check_fit,
    extract_views,
    is_uniform,
    placement,
    region_box,
    whole_view,
    without_letterbox,
)

SIDES = st.integers(1, 5000)
SIZES = st.integers(1, 300)
FEW = settings(deadline=None, max_examples=30)
RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


def painted(width: int, height: int) -> Image.Image:
    """Return an image whose pixels, up to 256 x 256, all differ in colour, so that a wrong cut cannot look right."""
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([x % 256, y % 256, (x // 256 + y // 256) * 16 % 256], -1).astype(np.uint8))


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one, other).getbbox() is None


# Names


def test_there_are_six_views_and_the_whole_comes_first() -> None:
    assert VIEWS == ("whole", "top-left", "top-right", "bottom-left", "bottom-right", "centre")


def test_all_views_are_cut_in_their_order_unless_others_are_named() -> None:
    image = painted(9, 7)
    assert tuple(view.name for view in extract_views(image, 4, "letterbox")) == VIEWS
    chosen = ("centre", "whole", "top-left")
    assert tuple(view.name for view in extract_views(image, 4, "letterbox", chosen)) == chosen


def test_an_unknown_view_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UsageError, match=r"unknown view 'middle'; .*whole, top-left.*centre"):
        extract_views(painted(9, 7), 4, "letterbox", ("whole", "middle"))


def test_an_unknown_fit_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UsageError, match="fit is 'crop'; use one of letterbox, stretch"):
        check_fit("crop")


@pytest.mark.parametrize("name", FITS)
def test_a_known_fit_is_given_back(name: str) -> None:
    assert check_fit(name) == name


# Boxes


def test_a_box_counts_its_pixels() -> None:
    box = Box(left=2, top=3, right=7, bottom=5)
    assert (box.width, box.height, box.as_tuple()) == (5, 2, (2, 3, 7, 5))


def test_regions_worked_by_hand() -> None:
    boxes = {name: region_box(name, width=100, height=61, size_px=20).as_tuple() for name in REGIONS}
    assert boxes == {
        "top-left": (0, 0, 20, 20),
        "top-right": (80, 0, 100, 20),
        "bottom-left": (0, 41, 20, 61),
        "bottom-right": (80, 41, 100, 61),
        "centre": (40, 20, 60, 40),  # (61 - 20) / 2 = 20.5, to the pixel above
    }


@given(st.sampled_from(REGIONS), SIDES, SIDES, SIZES)
@example("centre", 1, 1, 256)
@example("bottom-right", 5000, 1, 256)
@example("top-right", 1, 5000, 256)
@settings(deadline=None)
def test_every_region_is_a_square_inside_the_painting(name: str, width: int, height: int, size_px: int) -> None:
    box = region_box(name, width, height, size_px)
    assert 0 <= box.left < box.right <= width
    assert 0 <= box.top < box.bottom <= height
    assert box.width == box.height == min(size_px, width, height)


@given(SIDES, SIDES, SIZES)
@settings(deadline=None)
def test_regions_reach_their_corners_and_the_centre_is_central(width: int, height: int, size_px: int) -> None:
    corner = {name: region_box(name, width, height, size_px) for name in REGIONS}
    assert (corner["top-left"].left, corner["top-left"].top) == (0, 0)
    assert (corner["top-right"].right, corner["top-right"].top) == (width, 0)
    assert (corner["bottom-left"].left, corner["bottom-left"].bottom) == (0, height)
    assert (corner["bottom-right"].right, corner["bottom-right"].bottom) == (width, height)
    centre = corner["centre"]
    assert 0 <= (width - centre.right) - centre.left <= 1
    assert 0 <= (height - centre.bottom) - centre.top <= 1


# Views


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 40), st.sampled_from(FITS))
@example(1, 1, 40, "letterbox")
@example(5000, 1, 40, "letterbox")
@example(1, 5000, 40, "letterbox")
@example(5000, 1, 40, "stretch")
@example(1, 5000, 40, "stretch")
@FEW
def test_every_view_is_an_rgb_square_of_a_box_inside(width: int, height: int, size_px: int, fit: Fit) -> None:
    for view in extract_views(painted(width, height), size_px, fit):
        assert (view.image.mode, view.image.size) == ("RGB", (size_px, size_px))
        assert 0 <= view.box.left < view.box.right <= width
        assert 0 <= view.box.top < view.box.bottom <= height


@given(st.integers(20, 120), st.integers(20, 120), st.integers(1, 20))
@example(5000, 20, 20)
@example(20, 5000, 20)
@FEW
def test_regions_are_the_paintings_own_pixels(width: int, height: int, size_px: int) -> None:
    image = painted(width, height)
    for view in extract_views(image, size_px, "letterbox", REGIONS):
        assert same(view.image, image.crop(view.box.as_tuple())), view.name


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 40))
@example(5000, 1, 40)
@FEW
def test_a_view_shows_its_box_and_nothing_else(width: int, height: int, size_px: int) -> None:
    image = painted(width, height)
    for view in extract_views(image, size_px, "stretch"):
        part = image.crop(view.box.as_tuple())
        gap = REDUCING_GAP if view.name == WHOLE else None
        expected = part.resize((size_px, size_px), Image.Resampling.BICUBIC, reducing_gap=gap)
        assert same(view.image, expected), view.name


def test_a_large_painting_is_fitted_quickly_and_hardly_changed() -> None:
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)).resize((1000, 800))
    image = Image.blend(coarse, Image.fromarray(rng.integers(0, 255, (800, 1000, 3), dtype=np.uint8)), 0.2)
    fair = image.resize((128, 102), Image.Resampling.BICUBIC)
    found = whole_view(image, 128, "letterbox").image.crop((0, 13, 128, 115))  # reduced first: 1000 / 128 is over 3
    levels = np.abs(np.asarray(fair, np.float64) - np.asarray(found, np.float64))
    assert 0 < levels.mean() < 1
    assert levels.max() <= 6


def test_a_smaller_paintings_region_is_enlarged() -> None:
    image = Image.new("RGB", (8, 4), RED)
    image.paste(BLUE, (4, 0, 8, 4))
    views = {view.name: view for view in extract_views(image, 64, "letterbox")}
    assert views["top-left"].box == Box(0, 0, 4, 4)
    assert same(views["top-left"].image, Image.new("RGB", (64, 64), RED))
    assert same(views["bottom-right"].image, Image.new("RGB", (64, 64), BLUE))


def test_the_whole_shows_the_whole_painting() -> None:
    (view,) = extract_views(painted(50, 30), 10, "letterbox", (WHOLE,))
    assert view.box == Box(0, 0, 50, 30)


def test_letterbox_pads_with_black_above_and_below() -> None:
    (view,) = extract_views(Image.new("RGB", (40, 20), WHITE), 10, "letterbox", (WHOLE,))
    rows = np.asarray(view.image)
    assert (rows[[0, 1, 7, 8, 9]] == 0).all()  # 10 x 5 centred: two rows above, three below
    assert (rows[2:7] == 255).all()


def test_letterbox_pads_with_black_left_and_right() -> None:
    (view,) = extract_views(Image.new("RGB", (20, 40), WHITE), 12, "letterbox", (WHOLE,))
    columns = np.asarray(view.image).swapaxes(0, 1)
    assert (columns[[0, 1, 2, 9, 10, 11]] == 0).all()  # 6 x 12 centred: three columns each side
    assert (columns[3:9] == 255).all()


@pytest.mark.parametrize("fit", FITS)
def test_a_square_painting_fills_the_view_in_either_fit(fit: Fit) -> None:
    image = painted(16, 16)
    (view,) = extract_views(image, 16, fit, (WHOLE,))
    assert same(view.image, image)


def test_stretch_leaves_no_band() -> None:
    (view,) = extract_views(Image.new("RGB", (400, 3), GREEN), 24, "stretch", (WHOLE,))
    assert same(view.image, Image.new("RGB", (24, 24), GREEN))


def test_cutting_leaves_the_painting_as_it_was() -> None:
    image = painted(30, 20)
    for view in extract_views(image, 20, "stretch"):
        view.image.paste(BLACK, (0, 0, 20, 20))
    assert same(image, painted(30, 20))


# Placement


def test_placement_worked_by_hand() -> None:
    place = placement(400, 200, size_px=100, fit="letterbox")
    assert place.content == Box(0, 25, 100, 75)
    assert place.to_view(200, 100) == (50, 50)
    assert place.to_view(400, 200) == (100, 75)
    assert place.to_image(25, 25) == (100, 0)


@given(SIDES, SIDES, SIZES, st.sampled_from(FITS))
@settings(deadline=None)
def test_the_content_lies_inside_the_square(width: int, height: int, size_px: int, fit: Fit) -> None:
    box = placement(width, height, size_px, fit).content
    assert 0 <= box.left < box.right <= size_px
    assert 0 <= box.top < box.bottom <= size_px
    assert max(box.width, box.height) == size_px


@given(SIDES, SIDES, SIZES)
@settings(deadline=None)
def test_letterbox_is_centred_and_keeps_the_aspect_ratio(width: int, height: int, size_px: int) -> None:
    box = placement(width, height, size_px, "letterbox").content
    assert 0 <= (size_px - box.right) - box.left <= 1
    assert 0 <= (size_px - box.bottom) - box.top <= 1
    scale = size_px / max(width, height)
    assert math.isclose(box.width, max(1, width * scale), abs_tol=0.5 + 1e-9)
    assert math.isclose(box.height, max(1, height * scale), abs_tol=0.5 + 1e-9)


@given(SIDES, SIDES, SIZES)
@settings(deadline=None)
def test_stretch_fills_the_square(width: int, height: int, size_px: int) -> None:
    assert placement(width, height, size_px, "stretch").content == Box(0, 0, size_px, size_px)


@given(SIDES, SIDES, SIZES, st.sampled_from(FITS), st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None)
def test_a_point_goes_to_the_view_and_back(
    width: int, height: int, size_px: int, fit: Fit, across: float, down: float
) -> None:
    place = placement(width, height, size_px, fit)
    there = place.to_view(across * width, down * height)
    assert place.content.left - 1e-6 <= there[0] <= place.content.right + 1e-6
    assert place.content.top - 1e-6 <= there[1] <= place.content.bottom + 1e-6
    assert place.to_image(*there) == pytest.approx((across * width, down * height), abs=1e-6)


@given(SIDES, SIDES, SIZES, st.sampled_from(FITS), st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None)
def test_a_point_rounded_to_the_views_pixels_comes_back_within_one_of_them(
    width: int, height: int, size_px: int, fit: Fit, across: float, down: float
) -> None:
    place = placement(width, height, size_px, fit)
    x, y = place.to_view(across * width, down * height)
    back_x, back_y = place.to_image(round(x), round(y))
    assert abs(back_x - across * width) <= width / place.content.width
    assert abs(back_y - down * height) <= height / place.content.height


def test_a_marked_spot_is_found_where_the_placement_says() -> None:
    image = Image.new("RGB", (400, 100), WHITE)
    image.paste(RED, (300, 40, 320, 60))
    (view,) = extract_views(image, 200, "letterbox", (WHOLE,))
    x, y = placement(400, 100, 200, "letterbox").to_view(310, 50)
    assert view.image.getpixel((round(x), round(y))) == RED
    assert view.image.getpixel((round(x) + 8, round(y))) == WHITE


@pytest.mark.parametrize(("fit", "size"), [("letterbox", (8, 4)), ("stretch", (8, 8))])
def test_the_painted_part_of_a_whole_view_is_all_but_its_bands(fit: Fit, size: tuple[int, int]) -> None:
    part = without_letterbox(whole_view(Image.new("RGB", (200, 100), RED), 8, fit), fit)
    assert part.size == size and part.getcolors() == [(size[0] * size[1], RED)]


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("colour", [WHITE, BLACK, RED, (140, 120, 90)])
@pytest.mark.parametrize("size", [(1, 1), (300, 200), (40, 160)])
def test_one_colour_is_uniform_within_its_letterbox(
    fit: Fit, colour: tuple[int, int, int], size: tuple[int, int]
) -> None:
    assert is_uniform(whole_view(Image.new("RGB", size, colour), 64, fit), fit)


def test_a_few_levels_of_noise_are_uniform_and_a_line_of_text_is_not() -> None:
    rng = np.random.default_rng(0)
    noisy = Image.fromarray(rng.normal(200, 2, (90, 90, 3)).astype(np.uint8))
    lined = Image.new("RGB", (90, 90), WHITE)
    lined.paste(BLACK, (10, 40, 80, 43))
    assert is_uniform(whole_view(noisy, 64, "stretch"), "stretch")
    assert not is_uniform(whole_view(lined, 64, "stretch"), "stretch")


def test_views_of_a_box_are_those_of_that_part_with_boxes_in_the_images_pixels() -> None:
    image, box = painted(60, 50), Box(10, 5, 50, 45)
    part = extract_views(image.crop(box.as_tuple()), 16, "letterbox")
    for view, alone in zip(extract_views(image, 16, "letterbox", box=box), part, strict=True):
        assert same(view.image, alone.image)
        assert view.box == alone.box.shifted(10, 5)


def test_the_placement_of_a_box_worked_by_hand() -> None:
    place = placement(400, 300, 100, "letterbox", Box(100, 50, 300, 150))
    assert place.content == Box(0, 25, 100, 75)
    assert place.to_view(100, 50) == (0, 25) and place.to_view(300, 150) == (100, 75)
    assert place.to_image(50, 50) == (200, 100)
    assert place.has_margins and not placement(400, 300, 100, "letterbox").has_margins
