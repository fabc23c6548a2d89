"""Make the smooth arrays that a picture is designed with: grids, noise, masks, colours, flows."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Array = NDArray[np.float32]
Point = tuple[float, float]
Size = tuple[int, int]  # width, height in pixels


def grid(size: Size) -> tuple[Array, Array]:
    """Return x (right) and y (down) of each pixel, in units of the picture's height."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    return (columns + 0.5) / height, (rows + 0.5) / height


def rgb(code: str) -> Array:
    """Turn a web colour such as `#c0402a` into three numbers from 0 to 1."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255


def smoothstep(low: float, high: float, value: Array) -> Array:
    """Rise smoothly from 0 at `low` to 1 at `high` (falls when `low` is the larger)."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def lay(base: Array, mask: Array, colour: Array) -> Array:
    """Cover `base` (H, W, 3) with a colour, or a picture, where the mask is 1."""
    return base + (colour - base) * mask[..., None]


def ramp(value: Array, stops: Sequence[tuple[float, str]]) -> Array:
    """Colour each value by the nearest stops, mixed linearly: (..., 3)."""
    places = [place for place, _ in stops]
    colours = np.stack([rgb(code) for _, code in stops])
    return np.stack([np.interp(value, places, colours[:, c]) for c in range(3)], -1).astype(np.float32)


def noise(rng: np.random.Generator, size: Size, cells: tuple[float, float], octaves: int = 4) -> Array:
    """Sum octaves of smooth random hills, about -1 to 1; `cells` across and down in the coarsest."""
    total = np.zeros((size[1], size[0]), np.float32)
    for octave in range(octaves):
        across, down = (max(2, round(count * 2**octave)) for count in cells)
        lattice = Image.fromarray(rng.uniform(-1, 1, (down + 1, across + 1)).astype(np.float32))
        total += np.asarray(lattice.resize(size, Image.Resampling.BICUBIC)) / 2**octave
    return total / 1.5


def blur(field: Array, sigma_px: float) -> Array:
    """Blur (H, W) or (H, W, C) by a Gaussian, the edges mirrored."""
    pad = int(3 * sigma_px) + 1
    wide = np.pad(field, [(pad, pad), (pad, pad)] + [(0, 0)] * (field.ndim - 2), mode="symmetric")
    spectrum = np.fft.rfft2(wide, axes=(0, 1))
    down = np.exp(-2 * (np.pi * sigma_px * np.fft.fftfreq(wide.shape[0])) ** 2)[:, None]
    across = np.exp(-2 * (np.pi * sigma_px * np.fft.rfftfreq(wide.shape[1])) ** 2)[None, :]
    weight = (down * across).reshape(down.shape[0], across.shape[1], *[1] * (field.ndim - 2))
    smooth = np.fft.irfft2(spectrum * weight, wide.shape[:2], axes=(0, 1))
    return smooth[pad:-pad, pad:-pad].astype(np.float32)


def spline(points: Sequence[Point], closed: bool = False, steps: int = 12) -> Array:
    """Run a smooth Catmull-Rom curve through the points: (K, 2)."""
    p = np.array(points, np.float32)
    p = np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([p[:1], p, p[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[None, :, None]
    a, b, c, d = (p[i : len(p) - 3 + i, None] for i in range(4))
    curve = b + (c - a) * t / 2 + (a - 2.5 * b + 2 * c - d / 2) * t**2 + (1.5 * (b - c) + (d - a) / 2) * t**3
    return np.concatenate([curve.reshape(-1, 2), p[-2:-1]])


def polygon(size: Size, points: Sequence[Point] | Array, soft_px: float = 0) -> Array:
    """Fill a polygon given in units of the height: (H, W), 1 inside."""
    sheet = Image.new("L", (size[0] * 2, size[1] * 2))
    ImageDraw.Draw(sheet).polygon([(x * size[1] * 2, y * size[1] * 2) for x, y in points], fill=255)
    mask = np.asarray(sheet.reduce(2), np.float32) / 255
    return blur(mask, soft_px) if soft_px else mask


def ellipse(size: Size, centre: Point, radii: Point, turn: float = 0) -> Array:
    """Return the distance from the centre in radii: 1 on the ellipse, less inside."""
    x, y = grid(size)
    x, y = x - centre[0], y - centre[1]
    along, beside = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    return np.hypot(along / radii[0], beside / radii[1]).astype(np.float32)


def contour_flow(field: Array, sigma_px: float) -> Array:
    """Return the angle, radians, along the level lines of a field, from its structure tensor."""
    down, across = np.gradient(blur(field, 1.5))
    xx, yy, xy = (blur(product, sigma_px) for product in (across * across, down * down, across * down))
    return (0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2).astype(np.float32)


def detail(picture: Array) -> Array:
    """Return where a picture (H, W, 3) is too fine for broad strokes, 0 to 1."""
    return smoothstep(0.02, 0.10, blur(np.abs(picture - blur(picture, 6)).max(-1), 3))
