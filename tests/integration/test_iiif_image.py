"""An image service is asked for what it can give, at the size that is needed."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from artnet.errors import ArtNetError
from artnet.imaging.decode import Limits
from artnet.sources.iiif_image import IiifImage
from fixtures.web import HERE, ImageService, jpeg, serving

PYRAMID = ((200, 150), (400, 300), (800, 600))


def ask(service: ImageService, shorter_side_px: int) -> tuple[tuple[int, int], str]:
    """Read a picture; give its size and how its size was asked for."""
    with serving() as site:
        place = IiifImage(service.put(site, "/image"))
        data = place.read("one", replace(HERE, shorter_side_px=shorter_side_px))
        return Image.open(BytesIO(data)).size, site.requests[-1].split("/full/")[1].split("/")[0]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_service_of_level_1_scales_by_the_width(version: int) -> None:
    assert ask(ImageService(version), 448) == ((598, 448), "598,")


@pytest.mark.parametrize(("version", "asked"), [(1, "full"), (2, "full"), (3, "max")])
def test_a_small_picture_is_never_enlarged(version: int, asked: str) -> None:
    assert ask(ImageService(version, width=300, height=200), 448) == ((300, 200), asked)


@pytest.mark.parametrize(("version", "asked"), [(2, "800,"), (3, "800,600")])
def test_a_size_that_is_ready_comes_before_a_computed_one(version: int, asked: str) -> None:
    assert ask(ImageService(version, sizes=PYRAMID), 448) == ((800, 600), asked)


def test_a_size_that_is_ready_but_four_times_too_large_is_left_alone() -> None:
    assert ask(ImageService(sizes=((1600, 1200),)), 448) == ((598, 448), "598,")


@pytest.mark.parametrize(("side", "size"), [(224, (400, 300)), (448, (800, 600)), (1024, (800, 600))])
def test_a_service_of_level_0_gives_the_smallest_listed_size_that_is_enough(side: int, size: tuple[int, int]) -> None:
    assert ask(ImageService(level=0, sizes=PYRAMID), side)[0] == size


@pytest.mark.parametrize(("version", "asked"), [(2, "full"), (3, "max")])
def test_a_service_of_level_0_without_sizes_gives_the_whole(version: int, asked: str) -> None:
    assert ask(ImageService(version, level=0), 448) == ((1600, 1200), asked)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    ("limits", "size"),
    [
        ({"maxWidth": 500}, (500, 375)),
        ({"maxWidth": 5000, "maxHeight": 300}, (400, 300)),
        ({"maxArea": 120_000}, (400, 300)),
        ({"maxWidth": 600}, (598, 448)),
    ],
)
def test_the_services_own_limits_are_kept(version: int, limits: dict[str, int], size: tuple[int, int]) -> None:
    assert ask(ImageService(version, limits=limits), 448)[0] == size


def test_maxwidth_alone_is_for_the_height_as_well() -> None:
    assert ask(ImageService(width=1200, height=1600, limits={"maxWidth": 500}), 448)[0] == (375, 500)


def test_a_picture_over_the_budget_of_pixels_is_asked_for_smaller() -> None:
    with serving() as site:
        place = IiifImage(ImageService().put(site, "/image"))
        rules = replace(HERE, shorter_side_px=5000, limits=Limits(pixels=30_000))
        assert Image.open(BytesIO(place.read("one", rules))).size == (200, 150)


def test_where_the_service_is_gone_the_manifests_own_address_is_fetched() -> None:
    with serving() as site:
        plain = site.put("/plain.jpg", jpeg())
        assert IiifImage(f"{site.url}/gone", plain).read("one", HERE) == jpeg()


@pytest.mark.parametrize(
    "info", [b"no json", b"[]", b"{}", b'{"width": 0, "height": 3}', b'{"width": "9"}', b"[" * 9999]
)
def test_a_service_that_says_nothing_useful_is_an_error(info: bytes) -> None:
    with serving() as site, pytest.raises(ArtNetError):
        site.put("/image/info.json", info)
        IiifImage(f"{site.url}/image").read("one", HERE)
