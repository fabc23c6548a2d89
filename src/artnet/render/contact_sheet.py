"""Contact sheets: a page of texts, bars and images, laid out once and rendered as pixels or as SVG."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from artnet.attribution.explain import Explanation
from artnet.attribution.what_if import WhatIf
from artnet.imaging.encode import encode_png, thumbnail
from artnet.model.prediction import decision_words
from artnet.render.colormap import diverging, sequential
from artnet.render.overlay import DEFAULT_STYLE, OverlayStyle, depth_overlay, outline_painting

Colour = tuple[int, int, int]

_PAPER: Colour = (250, 249, 246)
_INK: Colour = (38, 36, 34)
_FAINT: Colour = (120, 116, 110)
_BAR: Colour = (228, 225, 219)
_TILE_PX = 300
_SINGLE_PX = 480  # where there is one map only
_GAP_PX = 18
_COLUMNS = 3
_WHAT_IF_COLUMNS = 6
_HEADER_PX = 150
_TITLE_PX = 104
_CAPTION_PX = 40
_ROW_PX = 26  # of a score
_LAYER_LETTERS = 21
_SCALE_PX = 14


@dataclass(frozen=True)
class Text:
    """A line of text; (x, y) is its upper left or, with `anchor` end, its upper right."""

    x: int
    y: int
    text: str
    size_px: int
    colour: Colour = _INK
    anchor: Literal["start", "end"] = "start"


@dataclass(frozen=True)
class Bar:
    """A filled rectangle."""

    x: int
    y: int
    width: int
    height: int
    colour: Colour


@dataclass(frozen=True)
class PlacedImage:
    """An image with its upper left at (x, y)."""

    x: int
    y: int
    image: Image.Image


Mark = Text | Bar | PlacedImage
Tile = tuple[str, Image.Image]  # caption, image


@dataclass(frozen=True)
class Sheet:
    """A page of marks, drawn in their order."""

    width: int
    height: int
    marks: tuple[Mark, ...]


def explanation_sheet(explanation: Explanation, style: OverlayStyle = DEFAULT_STYLE) -> Sheet:
    """Lay out the prediction, its scores, the image and the overlays of all computed depths."""
    side_px = _TILE_PX if len(explanation.maps) > 1 else _SINGLE_PX
    tiles = [
        (_caption(explanation, depth), depth_overlay(explanation, depth, style, side_px, enlarge=True))
        for depth in explanation.maps
    ]
    placement, painting = explanation.placement, thumbnail(explanation.image, side_px, enlarge=True)
    caption = "the painting, its margins left out" if placement.has_margins else "the painting"
    original = (caption, outline_painting(painting, placement))
    columns = min(_COLUMNS, len(tiles))
    width = _GAP_PX + (columns + 1) * (side_px + _GAP_PX)
    image_marks, image_bottom = _grid([original], 1, _GAP_PX, _HEADER_PX, side_px)
    tile_marks, tile_bottom = _grid(tiles, columns, side_px + 2 * _GAP_PX, _HEADER_PX, side_px)
    scores_bottom = image_bottom + _ROW_PX * len(explanation.prediction.scores) + 20
    marks = [
        *_header(explanation),
        *image_marks,
        *_scores(explanation, _GAP_PX, image_bottom + 4),
        *tile_marks,
        *_scale(explanation.target.against, width - _GAP_PX - _TILE_PX, 84),
    ]
    return Sheet(width, max(tile_bottom, scores_bottom) + _GAP_PX, tuple(marks))


def tile_sheet(title: str, note: str, tiles: Sequence[Tile], columns: int = _COLUMNS) -> Sheet:
    """Lay out captioned images in rows under a title."""
    columns = max(1, min(columns, len(tiles)))
    scaled = [(caption, thumbnail(image, _TILE_PX, enlarge=True)) for caption, image in tiles]
    marks, bottom = _grid(scaled, columns, _GAP_PX, _TITLE_PX)
    heading = (Text(_GAP_PX, 16, title, 32), Text(_GAP_PX, 62, note, 17, _FAINT))
    return Sheet(_GAP_PX + max(columns, 2) * (_TILE_PX + _GAP_PX), bottom + _GAP_PX, (*heading, *marks))


def what_if_sheet(result: WhatIf) -> Sheet:
    """Lay out a painting and all its edits, each with the answer that it gets."""
    best = max(result.scores, key=lambda name: result.scores[name])
    tiles = [(f"as it is: {best} {result.scores[best]:.0%}", result.in_proportion(result.image))]
    for outcome in result.outcomes:
        caption = f"{outcome.edit.label}: {outcome.movement} {outcome.scores[outcome.movement]:.0%}"
        tiles.append((caption + ("" if outcome.sentence else " (noise)"), result.in_proportion(outcome.image)))
    return tile_sheet(f"{best}, {result.scores[best]:.0%}. What if?", result.sentences[0], tiles, _WHAT_IF_COLUMNS)


def render_image(sheet: Sheet) -> Image.Image:
    """Render a sheet as pixels."""
    page = Image.new("RGB", (sheet.width, sheet.height), _PAPER)
    draw = ImageDraw.Draw(page)
    for mark in sheet.marks:
        if isinstance(mark, PlacedImage):
            page.paste(mark.image, (mark.x, mark.y))
        elif isinstance(mark, Bar):
            draw.rectangle((mark.x, mark.y, mark.x + mark.width - 1, mark.y + mark.height - 1), fill=mark.colour)
        else:
            anchor = {"start": "la", "end": "ra"}[mark.anchor]
            draw.text((mark.x, mark.y), mark.text, mark.colour, _font(mark.size_px), anchor=anchor)
    return page


def render_svg(sheet: Sheet) -> str:
    """Render a sheet as one SVG file: texts stay texts, images are embedded as PNG."""
    size = {"width": str(sheet.width), "height": str(sheet.height)}
    root = Element("svg", size, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {sheet.width} {sheet.height}")
    root.set("font-family", "sans-serif")
    SubElement(root, "rect", size, fill=_hex(_PAPER))
    for mark in sheet.marks:
        if isinstance(mark, PlacedImage):
            data = base64.b64encode(encode_png(mark.image)).decode("ascii")
            element = SubElement(root, "image", _size(mark.image), href=f"data:image/png;base64,{data}")
        elif isinstance(mark, Bar):
            element = SubElement(root, "rect", _size(mark), fill=_hex(mark.colour))
        else:
            look = {"font-size": str(mark.size_px), "text-anchor": mark.anchor}
            element = SubElement(root, "text", look, fill=_hex(mark.colour))
            element.text = mark.text
        # Pillow's default face stands 0.93 of its size under its top.
        baseline = round(0.93 * mark.size_px) if isinstance(mark, Text) else 0
        element.attrib.update(x=str(mark.x), y=str(mark.y + baseline))
    return tostring(root, encoding="unicode") + "\n"


def _size(mark: Bar | Image.Image) -> dict[str, str]:
    return {"width": str(mark.width), "height": str(mark.height)}


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _caption(explanation: Explanation, depth: int) -> str:
    """Name a map's layer by its end, which tells layers apart, in the width of a tile."""
    layer = explanation.maps[depth].layer
    name = "last" if layer.name in ("features", "trunk") else layer.name.removeprefix("trunk.")
    name = name if len(name) <= _LAYER_LETTERS else "…" + name[1 - _LAYER_LETTERS :]
    caption = f"depth {depth}, {layer.group} · {name}" if depth else explanation.method
    return caption + (", most faithful" if explanation.chosen_depth == depth else "")


def _header(explanation: Explanation) -> list[Mark]:
    prediction = explanation.prediction
    return [
        Text(_GAP_PX, 16, f"{prediction.movement}, {prediction.confidence:.0%}", 40),
        Text(_GAP_PX, 68, decision_words(prediction), 20),
        Text(_GAP_PX, 100, f"{explanation.target.description}? ({explanation.method})", 18, _FAINT),
    ]


def _scores(explanation: Explanation, left: int, top: int) -> list[Mark]:
    marks: list[Mark] = []
    for row, (name, score) in enumerate(explanation.prediction.scores.items()):
        y = top + row * _ROW_PX
        marks += [Text(left, y, name, 16), Bar(left + 130, y + 4, 120, 12, _BAR)]
        marks += [Bar(left + 130, y + 4, max(1, round(120 * score)), 12, _INK)]
        marks += [Text(left + 260, y, f"{score:.0%}", 16)]
    return marks


def _grid(tiles: Sequence[Tile], columns: int, left: int, top: int, side_px: int = _TILE_PX) -> tuple[list[Mark], int]:
    """Lay out captioned tiles in rows; return their marks and the y below the last row."""
    row_px = max(image.height for _, image in tiles) + _CAPTION_PX
    marks: list[Mark] = []
    for index, (caption, image) in enumerate(tiles):
        x, y = left + index % columns * (side_px + _GAP_PX), top + index // columns * row_px
        marks += [PlacedImage(x, y, image), Text(x, y + image.height + 8, caption, 15, _FAINT)]
    return marks, top + -(-len(tiles) // columns) * row_px


def _scale(signed: bool, left: int, top: int) -> list[Mark]:
    ramp = np.tile(np.linspace(-1 if signed else 0, 1, _TILE_PX, dtype=np.float32), (_SCALE_PX, 1))
    low, high = ("speaks against", "speaks for") if signed else ("no support", "most support")
    below = top + _SCALE_PX + 6
    return [
        PlacedImage(left, top, Image.fromarray(diverging(ramp) if signed else sequential(ramp))),
        Text(left, below, low, 14, _FAINT),
        Text(left + _TILE_PX, below, high, 14, _FAINT, "end"),
    ]


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)
