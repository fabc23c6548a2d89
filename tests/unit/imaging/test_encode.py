"""Pictures become files that hold them."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from artnet.imaging.encode import encode_jpeg, encode_png


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
