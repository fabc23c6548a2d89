"""An image service is asked for the size that is needed, and what it cannot scale is fetched whole."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from itertools import product

import numpy as np
import pytest
from PIL import Image

from artnet.errors import ArtNetError, RetryLaterError, SourceError
from artnet.imaging.encode import encode_png
from artnet.sources.iiif_image import IiifImage
from fixtures.web import HERE, ImageService, Site, busy, jpeg, serving


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


def put_files(site: Site, image: Image.Image, version: int, factors: tuple[int, ...], **more: object) -> str:
    """Serve an image as files alone: tiles of 32 x 24 pixels at each scale factor; return the base."""
    tiles = [{"width": 32, "height": 24, "scaleFactors": list(factors)}]
    about = {"@context": f"http://iiif.io/api/image/{version}/context.json", "profile": "level0", "tiles": tiles}
    site.put("/files/info.json", {**about, "width": image.width, "height": image.height, **more})
    for factor in factors:
        for x, y in product(range(0, image.width, 32 * factor), range(0, image.height, 24 * factor)):
            w, h = min(32 * factor, image.width - x), min(24 * factor, image.height - y)
            tile = image.crop((x, y, x + w, y + h)).resize((-(-w // factor), -(-h // factor)), Image.Resampling.BOX)
            region = "full" if (w, h) == image.size else f"{x},{y},{w},{h}"
            size = f"{tile.width},{tile.height}" if version == 3 else f"{tile.width},"
            site.put(f"/files/{region}/{size}/0/default.jpg", encode_png(tile))
    return f"{site.url}/files"


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(("side", "factor"), [(70, 1), (30, 2), (10, 4)])
def test_an_image_in_tiles_alone_is_put_together(version: int, side: int, factor: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (80, 100, 3)).astype(np.uint8)
    image = Image.fromarray(pixels)
    with serving() as site:
        location = IiifImage(put_files(site, image, version, (1, 2, 4)), f"{site.url}/gone.jpg")
        whole = Image.open(BytesIO(location.read("one", replace(HERE, shorter_side_px=side))))
    expected = image.resize((100 // factor, 80 // factor), Image.Resampling.BOX)
    assert np.array_equal(np.asarray(whole), np.asarray(expected))


@pytest.mark.parametrize(("version", "size"), [(2, "60,"), (3, "60,48")])
def test_a_size_that_is_ready_is_taken(version: int, size: str) -> None:
    sizes = [{"width": width, "height": width * 4 // 5} for width in (30, 60, 100)]
    with serving() as site:
        base = put_files(site, Image.new("RGB", (100, 80)), version, (1,), sizes=sizes)
        site.put(f"/files/full/{size}/0/default.jpg", jpeg(60, 48))
        assert IiifImage(base).read("one", replace(HERE, shorter_side_px=40)) == jpeg(60, 48)


def test_an_image_of_too_many_tiles_is_refused_and_says_so() -> None:
    with serving() as site:
        base = put_files(site, Image.new("RGB", (8, 8)), 3, (1,), width=10_000, height=10_000)
        with pytest.raises(SourceError, match=r"in \d+ tiles alone; download the image yourself"):
            IiifImage(base).read("one", HERE)


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
