"""Sheets of every shape, as pixels and as SVG."""

from __future__ import annotations

import pytest
from PIL import Image

from artnet.attribution.explain import explain
from artnet.model.classifier import Classifier
from artnet.render.contact_sheet import Bar, Picture, Sheet, Text, drawn, explanation_sheet, svg, tiles_sheet


@pytest.mark.parametrize("size", [(420, 300), (1, 1), (900, 3), (3, 900)])
def test_a_sheet_is_drawn_for_any_shape(classifier: Classifier, size: tuple[int, int]) -> None:
    sheet = explanation_sheet(explain(classifier, Image.new("RGB", size, (90, 120, 60))))
    assert drawn(sheet).size == (sheet.width, sheet.height)
    for mark in sheet.marks:
        if isinstance(mark, Picture):
            assert mark.x + mark.image.width <= sheet.width
            assert mark.y + mark.image.height <= sheet.height


def test_marks_are_drawn_where_they_stand() -> None:
    sheet = Sheet(20, 10, (Bar(2, 3, 4, 2, (255, 0, 0)), Picture(10, 0, Image.new("RGB", (2, 2), (0, 0, 255)))))
    page = drawn(sheet)
    assert page.getpixel((2, 3)) == page.getpixel((5, 4)) == (255, 0, 0)
    assert page.getpixel((6, 3)) != (255, 0, 0)
    assert page.getpixel((11, 1)) == (0, 0, 255)


def test_words_are_escaped_in_svg() -> None:
    text = svg(Sheet(20, 10, (Text(1, 1, "a < b & c", 10),)))
    assert "a &lt; b &amp; c" in text


def test_tiles_stand_in_rows(painting: Image.Image) -> None:
    sheet = tiles_sheet("title", "note", [(str(index), painting) for index in range(5)], columns=2)
    pictures = [mark for mark in sheet.marks if isinstance(mark, Picture)]
    assert len({mark.x for mark in pictures}) == 2
    assert len({mark.y for mark in pictures}) == 3
