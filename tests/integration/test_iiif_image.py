"""An image service is asked for the size that is needed, and what it cannot scale is fetched whole."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from artnet.errors import ArtNetError, RetryLaterError
from artnet.sources.iiif_image import IiifImage
from fixtures.web import HERE, ImageService, busy, jpeg, serving


def read(service: ImageService, shorter_side_px: int) -> tuple[tuple[int, int], str]:
    """Return the size of the image that is read, and the size in the last request."""
    with serving() as site:
        base = service.put(site, "/image")
        image = IiifImage(base, f"{base}/full/max/0/default.jpg")
        data = image.read("one", replace(HERE, shorter_side_px=shorter_side_px))
        return Image.open(BytesIO(data)).size, site.requests[-1].split("/full/")[1].split("/")[0]


@pytest.mark.parametrize("version", [2, 3])
def test_a_service_scales_by_the_width(version: int) -> None:
    assert read(ImageService(version), 448) == ((598, 448), "598,")


def test_the_shorter_side_counts_in_a_portrait_too() -> None:
    assert read(ImageService(width=1200, height=1600), 448)[0] == (448, 597)


def test_a_small_image_is_never_enlarged() -> None:
    assert read(ImageService(width=300, height=200), 448) == ((300, 200), "300,")


def test_a_service_that_does_not_scale_gives_the_whole_image() -> None:
    assert read(ImageService(level=0), 448) == ((1600, 1200), "max")


def test_a_service_with_a_limit_below_the_size_gives_what_it_can() -> None:
    assert read(ImageService(max_width=500), 448) == ((500, 375), "max")


def test_where_the_service_is_gone_the_manifests_own_url_is_fetched() -> None:
    with serving() as site:
        whole = site.put("/whole.jpg", jpeg())
        assert IiifImage(f"{site.url}/gone", whole).read("one", HERE) == jpeg()


def test_a_service_that_stays_busy_is_not_asked_for_the_whole_image() -> None:
    with serving() as site:
        site.put("/image/info.json", busy(99, Retry_After="3600"))
        whole = site.put("/whole.jpg", jpeg())
        with pytest.raises(RetryLaterError):
            IiifImage(f"{site.url}/image", whole).read("one", HERE)
        assert "/whole.jpg" not in site.requests


@pytest.mark.parametrize(
    "info",
    [b"no json", b"[]", b"{}", b'{"width": 0, "height": 3}', b'{"width": "9"}', b"[" * 9999,
     b'{"width": 1' + b"0" * 400 + b', "height": 3}'],
)  # fmt: skip
def test_a_service_without_a_size_is_an_error(info: bytes) -> None:
    with serving() as site, pytest.raises(ArtNetError):
        site.put("/image/info.json", info)
        IiifImage(f"{site.url}/image").read("one", HERE)
