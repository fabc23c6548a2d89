"""Draw explanations: overlays at the painting's own size, and a sheet of all depths.

Knows nothing about models: arrays and words in, pictures out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from artnet.errors import OutputError, UsageError
from artnet.explain import Explanation

Floats = NDArray[np.float32]

_PAPER = (250, 249, 246)
_INK = (38, 36, 34)
_QUIET = (120, 116, 110)
_TILE_PX = 300
_GAP_PX = 18
_COLUMNS = 3


def overlay(image: Image.Image, heatmap: Floats, opacity: float = 0.75) -> Image.Image:
    """Lay a heatmap (H, W) in 0..1 over a picture of the same size.

    Where there is no evidence the painting stays as it is; where there is most, `opacity` (0 to 1) of it is
    covered.
    """
    pixels = np.asarray(image, np.float32)
    share = (np.clip(heatmap, 0, 1) * np.float32(opacity))[..., None]
    blended = pixels + share * (colour(heatmap).astype(np.float32) - pixels)
    return Image.fromarray(blended.round().clip(0, 255).astype(np.uint8))


def colour(values: Floats) -> NDArray[np.uint8]:
    """Colour values in 0..1, any shape, with the one colour map: deep blue over red to pale yellow, (..., 3)."""
    index = (np.clip(values, 0, 1) * 255).round().astype(np.intp)
    result: NDArray[np.uint8] = colour_table()[index]
    return result


@cache
def colour_table() -> NDArray[np.uint8]:
    """Give the 256 colours (256, 3): lightness rises in equal steps, so that equal steps of evidence look equal.

    A path through Oklab (Ottosson, "A perceptual color space for image processing", 2020): lightness from 0.25 to
    0.95 while the hue turns once from blue (280 degrees) over red (20) to yellow (105).
    """
    step = np.linspace(0, 1, 256)
    lightness = 0.25 + 0.70 * step
    hue = np.radians(280 + 185 * step)
    chroma = 0.04 + 0.11 * np.sin(np.pi * (0.1 + 0.75 * step))
    rgb = _oklab_to_srgb(np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1))
    return (rgb.clip(0, 1) * 255).round().astype(np.uint8)


def write_pictures(path: Path, explanation: Explanation, opacity: float = 0.75) -> list[Path]:
    """Write an explanation as PNG and return the files written.

    One depth gives one overlay at the painting's own size. Several give the sheet at `path` and beside it an
    overlay for each, named NAME-depth1.png and so on. Errors: `OutputError`.
    """
    if path.suffix.lower() != ".png":
        raise UsageError(f"{path}: explanations are written as PNG; use a name that ends in .png")
    drawn = {depth: overlay(explanation.image, explanation.heatmap(depth), opacity) for depth in explanation.maps}
    if len(drawn) == 1:
        pictures = {path: next(iter(drawn.values()))}
    else:
        pictures = {path: contact_sheet(explanation, opacity)}
        pictures |= {path.with_name(f"{path.stem}-depth{depth}.png"): picture for depth, picture in drawn.items()}
    try:
        for target, picture in pictures.items():
            picture.save(target, "PNG", compress_level=1)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror or error})") from error
    return list(pictures)


def contact_sheet(explanation: Explanation, opacity: float = 0.75) -> Image.Image:
    """Draw the answer, its scores, the painting and the overlays of all computed depths on one sheet."""
    image = explanation.image
    tiles = [("the painting", _fitted(image))]
    for depth, found in explanation.maps.items():
        small = _fitted(image)
        heat = Image.fromarray(explanation.heatmap(depth)).resize(small.size, Image.Resampling.BILINEAR)
        drawn = overlay(small, np.asarray(heat, np.float32), opacity)
        tiles.append((f"depth {depth} · {_shortened(found.layer.name)}", drawn))
    header_px = 150
    tile_height = max(tile.height for _, tile in tiles)
    rows = -(-(len(tiles) - 1) // _COLUMNS)
    width = _GAP_PX + (_COLUMNS + 1) * (_TILE_PX + _GAP_PX)
    height = header_px + max(rows * (tile_height + 40), tile_height + 180) + _GAP_PX
    sheet = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    _draw_header(draw, explanation)
    _draw_tile(sheet, draw, tiles[0], _GAP_PX, header_px)
    _draw_scores(draw, explanation, _GAP_PX, header_px + tiles[0][1].height + 44)
    for index, tile in enumerate(tiles[1:]):
        left = _GAP_PX + (1 + index % _COLUMNS) * (_TILE_PX + _GAP_PX)
        _draw_tile(sheet, draw, tile, left, header_px + index // _COLUMNS * (tile_height + 40))
    _draw_scale(sheet, draw, width - _GAP_PX - _TILE_PX, 84)
    return sheet


def _draw_header(draw: ImageDraw.ImageDraw, explanation: Explanation) -> None:
    prediction = explanation.prediction
    answer = f"{prediction.movement}, {prediction.confidence:.0%}"
    draw.text((_GAP_PX, 16), answer, _INK, _font(40))
    sure = {"confident": "confident", "unsure": "unsure: " + " or ".join(_two_best(explanation))}
    draw.text((_GAP_PX, 68), sure.get(prediction.decision, prediction.decision), _INK, _font(20))
    draw.text((_GAP_PX, 100), f"{explanation.question}? ({explanation.method})", _QUIET, _font(18))


def _two_best(explanation: Explanation) -> Sequence[str]:
    scores = explanation.prediction.scores
    return sorted(scores, key=lambda name: -scores[name])[:2]


def _draw_scores(draw: ImageDraw.ImageDraw, explanation: Explanation, left: int, top: int) -> None:
    for row, (name, score) in enumerate(explanation.prediction.scores.items()):
        line = top + row * 26
        draw.text((left, line), name, _INK, _font(16))
        draw.rectangle((left + 130, line + 4, left + 250, line + 16), fill=(228, 225, 219))
        draw.rectangle((left + 130, line + 4, left + 130 + round(120 * score), line + 16), fill=_INK)
        draw.text((left + 260, line), f"{score:.0%}", _INK, _font(16))


def _draw_tile(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, tile: tuple[str, Image.Image], left: int, top: int
) -> None:
    caption, picture = tile
    sheet.paste(picture, (left, top))
    draw.text((left, top + picture.height + 8), caption, _QUIET, _font(15))


def _draw_scale(sheet: Image.Image, draw: ImageDraw.ImageDraw, left: int, top: int) -> None:
    ramp = colour(np.tile(np.linspace(0, 1, _TILE_PX, dtype=np.float32), (14, 1)))
    sheet.paste(Image.fromarray(ramp), (left, top))
    draw.text((left, top + 20), "no evidence", _QUIET, _font(14))
    draw.text((left + _TILE_PX, top + 20), "most evidence", _QUIET, _font(14), anchor="ra")


def _fitted(image: Image.Image) -> Image.Image:
    """Scale a picture into a tile, keeping its aspect ratio; a side never falls under one pixel."""
    scale = _TILE_PX / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _shortened(name: str) -> str:
    return name.removeprefix("trunk.") if name != "trunk" else "last"


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def _oklab_to_srgb(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert Oklab (..., 3) to sRGB in 0..1; the matrices are Ottosson's."""
    to_lms = np.array(
        [
            [1, 0.3963377774, 0.2158037573],
            [1, -0.1055613458, -0.0638541728],
            [1, -0.0894841775, -1.2914855480],
        ]
    )
    to_linear = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = (lab @ to_lms.T) ** 3 @ to_linear.T
    curved = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    result: NDArray[np.float64] = np.where(linear <= 0.0031308, 12.92 * linear, curved)
    return result
