"""Thumbnails, and images as files that hold them."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from artnet.imaging.encode import encode_jpeg, encode_png, thumbnail


@pytest.mark.parametrize("level", [1, 6, 9])
def test_a_png_holds_every_pixel_at_every_level(level: int, painting: Image.Image) -> None:
    with Image.open(BytesIO(encode_png(painting, level))) as found:
        assert (found.format, found.size) == ("PNG", painting.size)
        assert np.array_equal(np.asarray(found), np.asarray(painting))


def test_a_jpeg_is_as_good_as_asked_and_takes_pillows_options(painting: Image.Image) -> None:
    small, fine = encode_jpeg(painting, 40), encode_jpeg(painting, 95, subsampling="4:4:4")
    assert len(small) < len(fine)
    with Image.open(BytesIO(fine)) as found:
        assert found.format == "JPEG"
        assert np.abs(np.asarray(found, float) - np.asarray(painting, float)).mean() < 1


@pytest.mark.parametrize(("size", "expected"), [((640, 480), (64, 48)), ((3, 900), (1, 64)), ((64, 10), (64, 10))])
def test_a_thumbnail_keeps_the_aspect_ratio(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert thumbnail(Image.new("RGB", size), 64).size == expected


def test_a_smaller_image_is_enlarged_only_on_request() -> None:
    small = Image.new("RGB", (20, 10))
    assert thumbnail(small, 64) is small
    assert thumbnail(small, 64, enlarge=True).size == (64, 32)


def test_a_thumbnail_is_that_of_the_full_filter_within_two_levels(painting: Image.Image) -> None:
    large = painting.resize((1600, 1200), Image.Resampling.BICUBIC)
    exact = np.asarray(large.resize((128, 96), Image.Resampling.LANCZOS), int)
    assert np.abs(np.asarray(thumbnail(large, 128), int) - exact).max() <= 2
