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
from artnet.model import DEPTHS

Floats = NDArray[np.float32]

_PAPER = (250, 249, 246)
_INK = (38, 36, 34)
_QUIET = (120, 116, 110)
_TILE_PX = 300
_GAP_PX = 18
_COLUMNS = 3
_CAPTION_LETTERS = 26
_BAND_ROWS = 256


def overlay(image: Image.Image, heatmap: Floats, opacity: float = 0.75) -> Image.Image:
    """Lay a heatmap (H, W) in 0..1 over a picture of the same size.

    Where there is no evidence the painting stays as it is; where there is most, `opacity` (0 to 1) of it is
    covered. Blended in bands of rows, so that a large painting is not held several times over.
    """
    pixels = np.asarray(image)
    blended = np.empty_like(pixels)
    for top in range(0, len(pixels), _BAND_ROWS):
        rows, heat = pixels[top : top + _BAND_ROWS].astype(np.float32), heatmap[top : top + _BAND_ROWS]
        share = (np.clip(heat, 0, 1) * np.float32(opacity))[..., None]
        rows += share * (colour(heat) - rows)
        blended[top : top + _BAND_ROWS] = rows.round().clip(0, 255)
    return Image.fromarray(blended)


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


def check_picture_path(path: Path, source: Path) -> None:
    """Refuse a place for pictures that could not be written or is the painting itself, before anything is computed."""
    if path.suffix.lower() != ".png":
        raise UsageError(f"{path}: explanations are written as PNG; use a name that ends in .png")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: its folder does not exist; make it first")
    names = [path, *(_beside(path, depth) for depth in range(1, DEPTHS + 1))]
    if source.resolve() in {name.resolve() for name in names}:
        raise UsageError(f"{path}: would replace the painting itself; choose another name")


def write_pictures(path: Path, explanation: Explanation, opacity: float = 0.75) -> list[Path]:
    """Write an explanation as PNG and return the files written, replacing earlier ones of the same name.

    One depth gives one overlay at the painting's own size. Several give the sheet at `path` and beside it an
    overlay for each, named NAME-depth1.png and so on. Errors: `OutputError`.
    """
    single = len(explanation.maps) == 1
    targets = {depth: path if single else _beside(path, depth) for depth in explanation.maps}
    try:
        if not single:
            contact_sheet(explanation, opacity).save(path, "PNG")
        for depth, target in targets.items():  # one at a time: nine large overlays do not fit everywhere
            drawn = overlay(explanation.image, explanation.heatmap(depth), opacity)
            drawn.save(target, "PNG", compress_level=1)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error
    return list(targets.values()) if single else [path, *targets.values()]


def _beside(path: Path, depth: int) -> Path:
    return path.with_name(f"{path.stem}-depth{depth}.png")


def contact_sheet(explanation: Explanation, opacity: float = 0.75) -> Image.Image:
    """Draw the answer, its scores, the painting and the overlays of all computed depths on one sheet."""
    image = explanation.image
    tiles = [("the painting", _fitted(image))]
    for depth, found in explanation.maps.items():
        small = _fitted(image)
        drawn = overlay(small, explanation.heatmap(depth, small.size), opacity)
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
    """Name a layer in the width of a tile, with its end kept: that is what tells layers apart."""
    name = "last" if name == "trunk" else name.removeprefix("trunk.")
    return name if len(name) <= _CAPTION_LETTERS else "…" + name[1 - _CAPTION_LETTERS :]


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
