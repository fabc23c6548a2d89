"""Every kind of TIFF that the generator writes is read rightly, or refused with its true reason."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from PIL import Image

from artnet.errors import CorruptImageError, UnsupportedImageError
from artnet.imaging.decode import decode_image, decode_reduced, upright_srgb
from fixtures import tiff

# Where the stored top-left corner belongs, as shares of width and height (EXIF 2.32, section 4.6.4, tag 0112).
CORNERS = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}


@pytest.mark.parametrize("variant", tiff.variants(), ids=lambda variant: f"{variant.name}{' MM' * variant.big}")
def test_a_kind_of_tiff_is_read_rightly_or_refused_by_its_name(variant: tiff.Variant) -> None:
    try:
        image = decode_image(tiff.write_tiff(variant), "scan")
    except UnsupportedImageError as error:
        assert re.search(rf"scan: is a TIFF with .*{variant.bits}-bit .*; save it as RGB of 8 bits", str(error))
        return
    corner, opposite = image.getpixel((1, 1)), image.getpixel((tiff.WIDTH - 1, tiff.HEIGHT - 1))
    assert corner == pytest.approx([tiff.expected(variant, tiff.LIGHT)] * 3, abs=2)
    assert opposite == pytest.approx([tiff.expected(variant, tiff.DARK)] * 3, abs=2)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16])
def test_a_turned_tiff_tells_the_size_that_it_has_upright(orientation: int, bits: int) -> None:
    data = tiff.write_tiff(tiff.Variant("grey", bits, orientation=orientation))
    image, size = decode_reduced(data, "scan", 4)
    turned = orientation > 4
    assert image.size == size == ((tiff.HEIGHT, tiff.WIDTH) if turned else (tiff.WIDTH, tiff.HEIGHT))
    x, y = CORNERS[orientation]
    assert image.getpixel((x * (image.width - 1), y * (image.height - 1))) == (204, 204, 204)


def test_a_tiff_that_pillow_opened_keeps_its_levels() -> None:
    with Image.open(BytesIO(tiff.write_tiff(tiff.Variant("grey", 12)))) as image:
        assert upright_srgb(image).getpixel((1, 1)) == pytest.approx((204, 204, 204), abs=1)


@pytest.mark.parametrize("tags", [{254: ("I", (1,))}, {50706: ("I", (1,))}])
def test_a_cameras_raw_file_is_not_answered_by_its_preview(tags: dict[int, tuple[str, tuple[int, ...]]]) -> None:
    with pytest.raises(UnsupportedImageError, match="camera's raw file, of which only a small preview"):
        decode_image(tiff.write_tiff(tiff.Variant("RGB"), tags), "raw")


def test_a_damaged_tiff_is_called_corrupt_and_not_unsupported() -> None:
    data = tiff.write_tiff(tiff.Variant("RGB", 32, tiff.FLOAT))
    with pytest.raises(CorruptImageError, match="scan: its header cannot be read"):
        decode_image(data[:-60], "scan")
