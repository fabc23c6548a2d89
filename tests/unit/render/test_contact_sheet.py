"""Sheets of every shape, as pixels and as SVG."""

from __future__ import annotations

import pytest
from PIL import Image

from artnet.attribution.explain import explain
from artnet.attribution.what_if import what_if
from artnet.render.contact_sheet import (
    Bar,
    PlacedImage,
    Sheet,
    Text,
    explanation_sheet,
    render_image,
    render_svg,
    tile_sheet,
    what_if_sheet,
)
from fixtures.engine import tiny_classifier
from fixtures.margins import framed, textured


@pytest.mark.parametrize("size", [(420, 300), (1, 1), (900, 3), (3, 900)])
def test_a_sheet_is_drawn_for_any_shape(size: tuple[int, int]) -> None:
    sheet = explanation_sheet(explain(tiny_classifier(), Image.new("RGB", size, (90, 120, 60))))
    assert render_image(sheet).size == (sheet.width, sheet.height)
    for mark in sheet.marks:
        if isinstance(mark, PlacedImage):
            assert mark.x + mark.image.width <= sheet.width
            assert mark.y + mark.image.height <= sheet.height


def test_marks_are_drawn_where_they_stand() -> None:
    sheet = Sheet(20, 10, (Bar(2, 3, 4, 2, (255, 0, 0)), PlacedImage(10, 0, Image.new("RGB", (2, 2), (0, 0, 255)))))
    page = render_image(sheet)
    assert page.getpixel((2, 3)) == page.getpixel((5, 4)) == (255, 0, 0)
    assert page.getpixel((6, 3)) != (255, 0, 0)
    assert page.getpixel((11, 1)) == (0, 0, 255)


def test_words_are_escaped_in_svg() -> None:
    text = render_svg(Sheet(20, 10, (Text(1, 1, "a < b & c", 10),)))
    assert "a &lt; b &amp; c" in text


def test_tiles_stand_in_rows(painting: Image.Image) -> None:
    sheet = tile_sheet("title", "note", [(str(index), painting) for index in range(5)], columns=2)
    images = [mark for mark in sheet.marks if isinstance(mark, PlacedImage)]
    assert len({mark.x for mark in images}) == 2
    assert len({mark.y for mark in images}) == 3


def test_a_what_if_sheet_shows_the_painting_and_every_edit(painting: Image.Image) -> None:
    result = what_if(tiny_classifier(), painting)
    sheet = what_if_sheet(result)
    images = [mark.image for mark in sheet.marks if isinstance(mark, PlacedImage)]
    assert len(images) == 1 + len(result.outcomes)
    assert all(abs(image.width / image.height - 420 / 300) < 0.1 for image in images)
    assert render_image(sheet).size == (sheet.width, sheet.height)


def test_a_sheet_says_that_margins_were_left_out() -> None:
    sheet = explanation_sheet(explain(tiny_classifier(trim=True), framed(textured(120, 90), 25, 20, 15, 20)))
    assert "the painting, its margins left out" in {mark.text for mark in sheet.marks if isinstance(mark, Text)}
