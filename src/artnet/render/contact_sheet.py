"""Lay out a sheet: the answer, its scores, the painting, its overlays and a scale; draw it as pixels or as SVG.

Knows nothing about models or files: an explanation in, a picture or a text out.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from artnet.attribution.explain import Explanation
from artnet.imaging.encode import encode_png
from artnet.render.overlay import colour, overlay, two_sided

Colour = tuple[int, int, int]

_PAPER: Colour = (250, 249, 246)
_INK: Colour = (38, 36, 34)
_QUIET: Colour = (120, 116, 110)
_BAR: Colour = (228, 225, 219)
_TILE_PX = 300
_SINGLE_PX = 480  # where there is one map only
_GAP_PX = 18
_COLUMNS = 3
_HEADER_PX = 150
_CAPTION_PX = 40
_CAPTION_LETTERS = 21
_SCALE_PX = 14


@dataclass(frozen=True)
class Look:
    """How overlays are drawn: the opacity of the strongest evidence, and whether the painting keeps its colours."""

    opacity: float = 0.75
    in_colour: bool = False


@dataclass(frozen=True)
class Text:
    """A line of text; (x, y) is its upper left or, with `anchor` end, its upper right."""

    x: int
    y: int
    words: str
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
class Picture:
    """A picture with its upper left at (x, y)."""

    x: int
    y: int
    image: Image.Image


@dataclass(frozen=True)
class Sheet:
    """A page of texts, bars and pictures, drawn in their order."""

    width: int
    height: int
    marks: tuple[Text | Bar | Picture, ...]


Tile = tuple[str, Image.Image]


def explanation_sheet(explanation: Explanation, look: Look | None = None) -> Sheet:
    """Lay out the answer, its scores, the painting and the overlays of all computed depths."""
    look = look or Look()
    side_px = _TILE_PX if len(explanation.maps) > 1 else _SINGLE_PX
    tiles = [_tile(explanation, depth, look, side_px) for depth in explanation.maps]
    painting = fitted(explanation.image, side_px)
    columns = min(_COLUMNS, len(tiles))
    row_px = max(tile.height for _, tile in [("", painting), *tiles]) + _CAPTION_PX
    scores_px = painting.height + _CAPTION_PX + 26 * len(explanation.prediction.scores) + 20
    height = _HEADER_PX + max(-(-len(tiles) // columns) * row_px, scores_px) + _GAP_PX
    width = _GAP_PX + (columns + 1) * (side_px + _GAP_PX)
    marks = [*_header(explanation), *_captioned(("the painting", painting), _GAP_PX, _HEADER_PX)]
    marks += _scores(explanation, _GAP_PX, _HEADER_PX + painting.height + _CAPTION_PX + 4)
    for index, tile in enumerate(tiles):
        left = _GAP_PX + (1 + index % columns) * (side_px + _GAP_PX)
        marks += _captioned(tile, left, _HEADER_PX + index // columns * row_px)
    marks += _scale(explanation.asked.against, width - _GAP_PX - _TILE_PX, 84)
    return Sheet(width, height, tuple(marks))


def tiles_sheet(title: str, note: str, tiles: Sequence[Tile], columns: int = _COLUMNS) -> Sheet:
    """Lay out captioned pictures in rows under a title."""
    columns = max(1, min(columns, len(tiles)))
    drawn = [(caption, fitted(image, _TILE_PX)) for caption, image in tiles]
    row_px = max(image.height for _, image in drawn) + _CAPTION_PX
    rows = -(-len(drawn) // columns)
    marks: list[Text | Bar | Picture] = [Text(_GAP_PX, 16, title, 32), Text(_GAP_PX, 62, note, 17, _QUIET)]
    for index, tile in enumerate(drawn):
        left = _GAP_PX + index % columns * (_TILE_PX + _GAP_PX)
        marks += _captioned(tile, left, 104 + index // columns * row_px)
    return Sheet(_GAP_PX + max(columns, 2) * (_TILE_PX + _GAP_PX), 104 + rows * row_px + _GAP_PX, tuple(marks))


def drawn(sheet: Sheet) -> Image.Image:
    """Draw a sheet as pixels."""
    page = Image.new("RGB", (sheet.width, sheet.height), _PAPER)
    draw = ImageDraw.Draw(page)
    for mark in sheet.marks:
        if isinstance(mark, Picture):
            page.paste(mark.image, (mark.x, mark.y))
        elif isinstance(mark, Bar):
            draw.rectangle((mark.x, mark.y, mark.x + mark.width - 1, mark.y + mark.height - 1), fill=mark.colour)
        else:
            anchor = {"start": "la", "end": "ra"}[mark.anchor]
            draw.text((mark.x, mark.y), mark.words, mark.colour, _font(mark.size_px), anchor=anchor)
    return page


def svg(sheet: Sheet) -> str:
    """Write a sheet as one SVG file: texts stay texts, pictures are embedded as PNG."""
    size = f'width="{sheet.width}" height="{sheet.height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {sheet.width} {sheet.height}" '
        'font-family="sans-serif">',
        f'<rect {size} fill="{_hex(_PAPER)}"/>',
        *(_svg_mark(mark) for mark in sheet.marks),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _svg_mark(mark: Text | Bar | Picture) -> str:
    place = f'x="{mark.x}" y="{mark.y}"'
    if isinstance(mark, Picture):
        data = base64.b64encode(encode_png(mark.image)).decode()
        size = f'width="{mark.image.width}" height="{mark.image.height}"'
        return f'<image {place} {size} href="data:image/png;base64,{data}"/>'
    if isinstance(mark, Bar):
        return f'<rect {place} width="{mark.width}" height="{mark.height}" fill="{_hex(mark.colour)}"/>'
    look = f'font-size="{mark.size_px}" fill="{_hex(mark.colour)}" text-anchor="{mark.anchor}"'
    baseline = mark.y + round(0.93 * mark.size_px)  # where Pillow's default face stands under its top
    return f'<text x="{mark.x}" y="{baseline}" {look}>{escape(mark.words)}</text>'


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _tile(explanation: Explanation, depth: int, look: Look, side_px: int) -> Tile:
    small = fitted(explanation.image, side_px)
    heat, signed = explanation.heatmap(depth, small.size), explanation.asked.against
    picture = overlay(small, heat, look.opacity, look.in_colour, signed)
    layer = explanation.maps[depth].layer
    caption = f"depth {depth}, {layer.group} · {_shortened(layer.name)}" if depth else explanation.method
    return (caption + (", most faithful" if explanation.chosen == depth else ""), picture)


def _header(explanation: Explanation) -> list[Text | Bar | Picture]:
    prediction = explanation.prediction
    ranked = sorted(prediction.scores, key=lambda name: -prediction.scores[name])
    sure = {"unsure": f"unsure: {ranked[0]} or {ranked[1]}"}
    return [
        Text(_GAP_PX, 16, f"{prediction.movement}, {prediction.confidence:.0%}", 40),
        Text(_GAP_PX, 68, sure.get(prediction.decision, prediction.decision), 20),
        Text(_GAP_PX, 100, f"{explanation.question}? ({explanation.method})", 18, _QUIET),
    ]


def _scores(explanation: Explanation, left: int, top: int) -> list[Text | Bar | Picture]:
    marks: list[Text | Bar | Picture] = []
    for row, (name, score) in enumerate(explanation.prediction.scores.items()):
        line = top + row * 26
        marks += [Text(left, line, name, 16), Bar(left + 130, line + 4, 120, 12, _BAR)]
        marks += [Bar(left + 130, line + 4, max(1, round(120 * score)), 12, _INK)]
        marks += [Text(left + 260, line, f"{score:.0%}", 16)]
    return marks


def _captioned(tile: Tile, left: int, top: int) -> list[Text | Bar | Picture]:
    caption, picture = tile
    return [Picture(left, top, picture), Text(left, top + picture.height + 8, caption, 15, _QUIET)]


def _scale(signed: bool, left: int, top: int) -> list[Text | Bar | Picture]:
    ramp = np.tile(np.linspace(-1 if signed else 0, 1, _TILE_PX, dtype=np.float32), (_SCALE_PX, 1))
    ends = ("speaks against", "speaks for") if signed else ("no evidence", "most evidence")
    below = top + _SCALE_PX + 6
    return [
        Picture(left, top, Image.fromarray(two_sided(ramp) if signed else colour(ramp))),
        Text(left, below, ends[0], 14, _QUIET),
        Text(left + _TILE_PX, below, ends[1], 14, _QUIET, "end"),
    ]


def shrunk(image: Image.Image, longest_px: int) -> Image.Image:
    """Fit a picture into a square that it is too large for; a smaller one stays as it is."""
    return image if max(image.size) <= longest_px else fitted(image, longest_px)


def fitted(image: Image.Image, side_px: int) -> Image.Image:
    """Scale a picture into a square, keeping its aspect ratio; a side never falls under one pixel."""
    scale = side_px / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _shortened(name: str) -> str:
    """Name a layer in the width of a tile, with its end kept: that is what tells layers apart."""
    name = "last" if name == "trunk" else name.removeprefix("trunk.")
    return name if len(name) <= _CAPTION_LETTERS else "…" + name[1 - _CAPTION_LETTERS :]


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)
