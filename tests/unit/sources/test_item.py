"""An item is small, travels between processes, and has a name of its own."""

from __future__ import annotations

import pickle

import pytest

from artnet.errors import NoImagesError, SourceError
from artnet.sources.item import InMemory, SourceItem, UniqueNames, needed_side


def test_what_is_item_travels() -> None:
    item = SourceItem("a", InMemory(b"A"), label="one", id="1")
    assert pickle.loads(pickle.dumps(item)) == item
    assert item.read() == b"A"


def test_an_error_travels_and_is_raised_on_reading() -> None:
    item = pickle.loads(pickle.dumps(SourceItem("a", error=NoImagesError("a: nothing"))))
    with pytest.raises(NoImagesError, match="a: nothing"):
        item.read()


def test_what_lies_nowhere_is_an_error() -> None:
    with pytest.raises(SourceError):
        SourceItem("a").read()


def test_a_name_that_comes_again_gets_its_position() -> None:
    names = UniqueNames()
    given = [names.unique(name, position) for position, name in enumerate(["a", "b", "a", "\udcff", "\udcff", "a"])]
    assert given == ["a", "b", "a#2", "\udcff", "\udcff#4", "a#5"]


def test_regions_need_more_pixels_than_the_whole() -> None:
    assert (needed_side(224, regions=False), needed_side(256)) == (672, 1024)
