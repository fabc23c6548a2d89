"""What lies on the web costs one request for each image, and a server that fails costs its image alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from artnet.imaging.decode import Limits
from artnet.sources.find import find_items
from artnet.sources.item import SourceRules
from fixtures.sources import kinds as kinds_of
from fixtures.web import HERE, busy, dying, endless, jpeg, manifest_3, send, serving, slow


def kinds(*sources: str, rules: SourceRules = HERE) -> list[str]:
    """Read the items of sources: "read", or the kind of the error."""
    return kinds_of(find_items(sources, rules), rules)


def test_a_picture_on_the_web_is_fetched_when_it_is_read() -> None:
    with serving() as site:
        (item,) = find_items([site.put("/a.jpg", jpeg())], HERE)
        assert site.requests == []
        assert item.read(HERE) == jpeg()


def test_an_address_without_an_ending_is_asked_once_what_it_is() -> None:
    with serving() as site:
        (item,) = find_items([site.put("/picture?id=7", jpeg())], HERE)
        assert item.read(HERE) == jpeg()
        assert site.requests == ["/picture?id=7"]


def test_a_private_address_is_refused_unless_it_is_allowed() -> None:
    with serving() as site:
        addresses = [site.put("/a.jpg", jpeg()), site.put("/manifest", {"type": "Manifest"})]
        assert kinds(*addresses, rules=SourceRules()) == ["address-refused"] * 2
        assert site.requests == []


@pytest.mark.parametrize("answer", [dying, slow])
def test_a_server_that_dies_or_is_slow_costs_its_picture_alone(answer: Callable[..., None]) -> None:
    with serving() as site:
        bad, good = site.put("/bad.jpg", answer), site.put("/good.jpg", jpeg())
        assert kinds(bad, good, rules=replace(HERE, timeout_s=0.5)) == ["address", "read"]


def test_a_busy_server_is_asked_again_for_a_picture_and_for_a_manifest() -> None:
    with serving() as site:
        once = {"Retry_After": "0"}
        picture = site.put("/a.jpg", busy(1, **once))
        manifest = manifest_3(f"{site.url}/m", [{"id": picture, "type": "Image", "format": "image/jpeg"}])
        listed = site.put("/m", busy(1, data=json.dumps(manifest).encode(), **once))
        assert kinds(picture, listed) == ["read", "read"]
        assert sorted(site.requests) == ["/a.jpg"] * 3 + ["/m"] * 2


def test_a_server_that_declares_too_much_or_sends_for_ever_is_cut_off() -> None:
    rules = replace(HERE, limits=Limits(size_bytes=10**6))
    with serving() as site:
        declared = site.put("/big.jpg", lambda handler: send(handler, b"x", 10**9))
        assert kinds(declared, site.put("/endless.jpg", endless), rules=rules) == ["too-large"] * 2


def test_a_server_that_declares_fewer_bytes_than_it_sends_gives_what_it_declared() -> None:
    with serving() as site:
        (item,) = find_items([site.put("/a.jpg", lambda handler: send(handler, b"x" * 100, 50))], HERE)
        assert item.read(HERE) == b"x" * 50


@pytest.mark.parametrize("ending", ["zip", "tar.gz", "parquet", "csv"])
def test_archives_on_the_web_are_refused_in_words(ending: str) -> None:
    (item,) = find_items([f"https://example.org/all.{ending}"])
    assert "download it first" in str(item.error)
