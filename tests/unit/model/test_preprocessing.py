"""From an image to the network's input."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image

from artnet.imaging.decode import DEFAULT_LIMITS, ImageFile
from artnet.imaging.encode import encode_jpeg
from artnet.imaging.views import VIEWS, WHOLE, Box, View
from artnet.model.config import Preprocessing
from artnet.model.preprocessing import network_input, open_views
from fixtures.margins import framed, textured

SETTINGS = Preprocessing(64, "letterbox", (0.5, 0.5, 0.2), (0.5, 0.25, 0.1))


def test_network_input_is_scaled_as_the_folder_says() -> None:
    view = View("whole", Box(0, 0, 2, 2), Image.new("RGB", (2, 2), (255, 0, 51)))
    found = network_input([view], Preprocessing(2, "stretch", (0.5, 0.5, 0.2), (0.5, 0.25, 0.1)))
    assert found.shape == (1, 3, 2, 2)
    assert found[0, :, 0, 0] == pytest.approx([1.0, -2.0, 0.0], abs=1e-6)


@pytest.fixture
def large(painting: Image.Image) -> ImageFile:
    return ImageFile(encode_jpeg(painting.resize((840, 600)), 90), "large.jpg")


def test_a_jpeg_of_which_the_whole_is_enough_is_decoded_smaller_and_keeps_its_size(large: ImageFile) -> None:
    opened = open_views(large, SETTINGS, (WHOLE,), DEFAULT_LIMITS)
    assert opened.image.size == (210, 150)
    assert (opened.name, opened.size) == ("large.jpg", (840, 600))
    assert [(view.name, view.box) for view in opened.views] == [(WHOLE, Box(0, 0, 840, 600))]
    assert opened.full_image().size == (840, 600)


def test_regions_are_cut_from_the_full_image(large: ImageFile) -> None:
    opened = open_views(large, SETTINGS, VIEWS, DEFAULT_LIMITS)
    assert opened.image.size == opened.size == (840, 600)
    assert opened.full_image() is opened.image
    assert opened.views[4].box == Box(776, 536, 840, 600)


def test_the_whole_view_is_that_of_the_views_or_cut_where_it_is_not_among_them(large: ImageFile) -> None:
    opened = open_views(large, SETTINGS, VIEWS, DEFAULT_LIMITS)
    assert opened.whole_view() is opened.views[0]
    without = dataclasses.replace(opened, views=opened.views[1:])
    assert np.array_equal(np.asarray(without.whole_view().image), np.asarray(opened.views[0].image))


TRIMMED = dataclasses.replace(SETTINGS, trim=True)


@pytest.fixture
def image() -> Image.Image:
    """A coarse texture of 840 x 600 pixels inside margins of 100 and 60 pixels."""
    return framed(textured(84, 60).resize((840, 600), Image.Resampling.BICUBIC), 100, 60, 100, 60)


def test_a_model_that_trims_sees_the_painting_without_its_margins(image: Image.Image) -> None:
    opened = open_views(image, TRIMMED, VIEWS, DEFAULT_LIMITS)
    alone = open_views(image.crop((100, 60, 940, 660)), TRIMMED, VIEWS, DEFAULT_LIMITS)
    assert (opened.box, opened.size) == (Box(100, 60, 940, 660), (1040, 720))
    assert opened.painting().tobytes() == alone.painting().tobytes()
    for view, other in zip(opened.views, alone.views, strict=True):
        assert view.image.tobytes() == other.image.tobytes()
        assert view.box == other.box.shifted(100, 60)
    assert open_views(image, SETTINGS, VIEWS, DEFAULT_LIMITS).box == Box(0, 0, 1040, 720)


def test_the_margins_of_a_jpeg_decoded_smaller_are_told_in_its_own_pixels(image: Image.Image) -> None:
    file = ImageFile(encode_jpeg(image, 90), "framed.jpg")
    opened = open_views(file, TRIMMED, (WHOLE,), DEFAULT_LIMITS)
    scale = opened.size[0] / opened.image.width
    assert scale >= 4
    assert np.abs(np.subtract(opened.box.as_tuple(), (100, 60, 940, 660))).max() <= 1.5 * scale
    assert opened.views[0].box == opened.box


def test_the_margins_of_a_turned_image_are_those_of_the_upright_one(image: Image.Image) -> None:
    exif = Image.Exif()
    exif[274] = 6  # to be turned by a quarter to the right
    data = encode_jpeg(image, 95, exif=exif)
    opened = open_views(ImageFile(data, "turned.jpg"), TRIMMED, VIEWS, DEFAULT_LIMITS)
    assert opened.size == (720, 1040)
    assert np.abs(np.subtract(opened.box.as_tuple(), (60, 100, 660, 940))).max() <= 1
