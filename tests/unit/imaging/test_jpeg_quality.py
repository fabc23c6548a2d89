"""The quality of a JPEG is read from its quantisation table."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from artnet.imaging.encode import encode_jpeg, encode_png
from artnet.imaging.jpeg_quality import jpeg_quality, luminance_table, nearest_quality


def test_a_scaled_table_is_what_one_works_out_by_hand() -> None:
    # Quality 25: 5000 / 25 = 200 %, so 16 becomes 32. Quality 90: 20 %, 16 becomes (320 + 50) // 100 = 3.
    assert luminance_table(25)[0] == 32
    assert luminance_table(90)[0] == 3
    assert set(luminance_table(100)) == {1}
    assert luminance_table(1).max() == 255


@pytest.mark.parametrize("quality", range(1, 101))
def test_the_quality_that_pillow_saved_with_is_found(quality: int) -> None:
    assert jpeg_quality(encode_jpeg(Image.new("RGB", (8, 8)), quality)) == quality


def test_grey_and_progressive_files_have_a_quality_too(painting: Image.Image) -> None:
    assert jpeg_quality(encode_jpeg(painting.convert("L"), 60, progressive=True)) == 60


def test_a_file_of_another_format_has_none(painting: Image.Image) -> None:
    webp = BytesIO()
    painting.save(webp, "WEBP")
    assert jpeg_quality(encode_png(painting)) is None
    assert jpeg_quality(webp.getvalue()) is None


def test_a_table_of_another_encoder_has_the_quality_that_is_as_coarse() -> None:
    assert nearest_quality([2 * step for step in luminance_table(50)]) == 25
    assert nearest_quality([30] * 64) == pytest.approx(75, abs=10)
