"""Images that are no paintings, drawn by code: blank pages, text, screenshots, charts, patterns and noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Rng = np.random.Generator
_SIDE_PX = (240, 480)  # of an image, from and to: as large as the pictures of a collection
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def draw_outliers(kind: str, count: int, seed: int = 0) -> Iterator[Image.Image]:
    """Yield `count` RGB images of a kind, one of `KINDS`; the same ones for the same seed."""
    rng = np.random.default_rng([seed, *kind.encode()])
    for _ in range(count):
        width, height = rng.integers(*_SIDE_PX, size=2).tolist()
        yield KINDS[kind](rng, width, height)


def _plain(rng: Rng, width: int, height: int) -> Image.Image:
    """Draw one colour, half of the time that of paper or of a dark screen, with up to two levels of noise."""
    colour = _paper(rng) if rng.random() < 0.5 else _colour(rng)
    pixels = np.full((height, width, 3), colour, np.float64) + rng.normal(
        0, rng.choice([0, 0, 1, 2]), (height, width, 3)
    )
    return _image(pixels)


def _gradient(rng: Rng, width: int, height: int) -> Image.Image:
    """Draw two colours that run into each other along a line or from a centre."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        share = x * np.cos(angle) + y * np.sin(angle)
    else:
        share = np.hypot(x - rng.random(), y - rng.random())
    share = ((share - share.min()) / max(np.ptp(share), 1e-9))[..., None]
    return _image(share * np.array(_colour(rng)) + (1 - share) * np.array(_colour(rng)))


def _noise(rng: Rng, width: int, height: int) -> Image.Image:
    """Draw random pixels, in colour or grey, fine or enlarged."""
    cell, channels = int(rng.choice([1, 2, 4, 8, 16])), int(rng.choice([1, 3]))
    pixels = rng.normal(rng.uniform(60, 200), rng.uniform(15, 90), (-(-height // cell), -(-width // cell), channels))
    grown = pixels.repeat(cell, 0).repeat(cell, 1)[:height, :width]
    return _image(np.broadcast_to(grown, (height, width, 3)))


def _pattern(rng: Rng, width: int, height: int) -> Image.Image:
    """Draw a checkerboard, stripes or dots of two colours."""
    y, x = np.mgrid[0:height, 0:width]
    cell, kind = int(rng.integers(4, 50)), rng.integers(3)
    if kind == 0:
        mask = (x // cell + y // cell) % 2 == 0
    elif kind == 1:
        mask = ((x if rng.random() < 0.5 else x + y) // cell) % 2 == 0
    else:
        mask = np.hypot(x % cell - cell / 2, y % cell - cell / 2) < cell * rng.uniform(0.15, 0.45)
    return _image(np.where(mask[..., None], _colour(rng), _paper(rng)))


def _text(rng: Rng, width: int, height: int) -> Image.Image:
    """Draw a page of words in one or two columns, sometimes with a heading, sometimes with only a few lines."""
    paper = _paper(rng)
    image = Image.new("RGB", (width, height), paper)
    draw, ink = ImageDraw.Draw(image), _ink(paper)
    margin, columns, size = int(rng.integers(6, 30)), int(rng.integers(1, 3)), int(rng.integers(7, 18))
    top = margin
    if rng.random() < 0.5:
        draw.text((margin, top), _words(rng, 3), ink, _font(2 * size))
        top += 3 * size
    bottom = height - margin if rng.random() < 0.7 else top + 4 * size
    room = (width - 2 * margin) // columns
    for column in range(columns):
        left = margin + column * room
        _paragraphs(rng, draw, (left, top, left + room - size, bottom), size, ink)
    return image


def _screenshot(rng: Rng, width: int, height: int) -> Image.Image:
    """Draw a window: a bar at the top, a list at the side, and boxes with text."""
    paper, accent = _paper(rng), _colour(rng)
    image = Image.new("RGB", (width, height), paper)
    draw, ink = ImageDraw.Draw(image), _ink(paper)
    bar, side = int(rng.integers(12, 36)), int(rng.integers(40, 110))
    draw.rectangle((0, 0, width, bar), accent)
    draw.text((6, bar // 4), _words(rng, 3), _ink(accent), _font(max(7, bar // 2)))
    draw.rectangle((0, bar, side, height), _mixed(paper, ink, 0.08))
    for y in range(bar + 8, height - 10, 18):
        draw.text((6, y), _words(rng, 1), ink, _font(9))
    for y in range(bar + 10, height - 40, 70):
        box = (side + 10, y, int(rng.integers(side + 60, max(width - 6, side + 61))), y + int(rng.integers(20, 58)))
        draw.rectangle(box, _mixed(paper, accent, rng.uniform(0, 0.5)), outline=_mixed(paper, ink, 0.3))
        _paragraphs(rng, draw, (box[0] + 5, box[1] + 4, box[2] - 5, box[3] - 4), 9, ink)
    return image


def _chart(rng: Rng, width: int, height: int) -> Image.Image:
    """Draw bars, lines or a pie, with axes and labels."""
    paper = _paper(rng)
    image = Image.new("RGB", (width, height), paper)
    draw, ink = ImageDraw.Draw(image), _ink(paper)
    left, top, right, bottom = 36, 30, width - 14, height - 28
    count, kind = int(rng.integers(3, 12)), rng.integers(3)
    draw.text((left, 8), _words(rng, 4), ink, _font(12))
    if kind == 2:
        radius, angles = min(right - left, bottom - top) // 2, np.sort(rng.uniform(0, 360, count)).tolist()
        for start, end in zip(angles, [*angles[1:], angles[0] + 360], strict=True):
            draw.pieslice((left, top, left + 2 * radius, top + 2 * radius), start, end, _colour(rng), outline=paper)
        return image
    for y in np.linspace(top, bottom, 6).astype(int).tolist():
        draw.line((left, y, right, y), _mixed(paper, ink, 0.2))
        draw.text((6, y - 5), str(rng.integers(100)), ink, _font(9))
    draw.line((left, top, left, bottom, right, bottom), ink)
    step, colour = (right - left) / count, _colour(rng)
    heights = rng.uniform(top, bottom, (count, int(rng.integers(1, 4)))).astype(int)
    for index in range(count):
        x = round(left + index * step)
        draw.text((x, bottom + 6), _words(rng, 1)[:5], ink, _font(9))
        if kind == 0:
            draw.rectangle((x + 2, int(heights[index, 0]), round(x + 0.7 * step), bottom), colour)
    if kind == 1:
        for series in heights.T.tolist():
            draw.line([(round(left + index * step), y) for index, y in enumerate(series)], _colour(rng), 2)
    return image


KINDS: dict[str, Callable[[Rng, int, int], Image.Image]] = {
    "plain": _plain,
    "gradient": _gradient,
    "noise": _noise,
    "pattern": _pattern,
    "text": _text,
    "screenshot": _screenshot,
    "chart": _chart,
}


def _paragraphs(rng: Rng, draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], size_px: int, ink: Colour) -> None:
    """Fill a box (left, top, right, bottom) with lines of words; now and then one ends early."""
    left, top, right, bottom = box
    font = _font(size_px)
    for y in range(top, bottom - size_px, round(1.4 * size_px)):
        room, line = (right - left) * (rng.uniform(0.2, 0.9) if rng.random() < 0.2 else 1.0), _words(rng, 1)
        while font.getlength(longer := f"{line} {_words(rng, 1)}") < room:
            line = longer
        draw.text((left, y), line, ink, font)


def _words(rng: Rng, count: int) -> str:
    return " ".join(
        "".join(_LETTERS[letter] for letter in rng.integers(len(_LETTERS), size=int(rng.integers(2, 10))))
        for _ in range(count)
    )


def _colour(rng: Rng) -> Colour:
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return (red, green, blue)


def _paper(rng: Rng) -> Colour:
    """Return white, nearly white, nearly black, or now and then any colour."""
    choice = rng.random()
    if choice < 0.4:
        return (255, 255, 255)
    if choice < 0.9:
        base, warmth = (int(rng.integers(225, 256)), 12) if choice < 0.7 else (int(rng.integers(0, 50)), 0)
        return (base, base - int(rng.integers(0, warmth + 1)), max(base - int(rng.integers(0, 2 * warmth + 1)), 0))
    return _colour(rng)


def _ink(paper: Colour) -> Colour:
    return (20, 20, 24) if sum(paper) > 3 * 128 else (235, 235, 230)


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round((1 - share) * a + share * b) for a, b in zip(one, other, strict=True))
    return (red, green, blue)


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels).clip(0, 255).astype(np.uint8))


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)
