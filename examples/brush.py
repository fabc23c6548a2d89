"""Lay brush strokes on a canvas that remembers colour and thickness of paint."""

from dataclasses import dataclass

import numpy as np
from fields import Array, Size, blur, noise
from PIL import Image, ImageDraw

# Pillow's lines have hard edges: drawing at twice the size and averaging softens them.
SCALE = 2


@dataclass(frozen=True)
class Brush:
    """One layer of strokes; lengths are in pixels of the finished painting."""

    width_px: float
    length_px: float
    spacing_px: float
    bristles: int = 6
    tint: float = 0.04
    streak: float = 0.03
    relief: float = 0.6
    tolerance: float = 0.25


@dataclass(frozen=True)
class Guide:
    """What strokes follow: colours (H, W, 3), angles (H, W) in radians, chance of a stroke (H, W)."""

    reference: Array
    flow: Array
    where: Array | None = None


@dataclass(frozen=True)
class Finish:
    """How the finished canvas is lit."""

    impasto: float = 1.0
    gloss: float = 0.12
    weave: float = 0.02


@dataclass(frozen=True)
class Strokes:
    """Traced strokes: points (N, K, 2) as x, y, how many of the K count, and colours (N, 3)."""

    points: Array
    counts: np.ndarray
    colours: Array


def blank(size: Size, colour: Array) -> Image.Image:
    """Return a canvas of one colour; its fourth channel is the thickness of paint, none yet."""
    fill = tuple(int(value * 255) for value in colour)
    return Image.new("RGBA", (size[0] * SCALE, size[1] * SCALE), (*fill, 0))


def scatter(rng: np.random.Generator, size: Size, spacing_px: float, where: Array | None = None) -> Array:
    """Place points on a shuffled, jittered lattice, (N, 2) as x, y; `where` is the chance to keep each."""
    rows, columns = np.mgrid[-spacing_px : size[1] : spacing_px, -spacing_px : size[0] : spacing_px]
    points = np.stack([columns.ravel(), rows.ravel()], -1)
    points = points + rng.uniform(0, spacing_px, points.shape)
    points = np.clip(points, 0, [size[0] - 1, size[1] - 1]).astype(np.float32)
    if where is not None:
        points = points[rng.random(len(points)) < pick(where, points)]
    return rng.permutation(points)


def pick(field: Array, points: Array) -> Array:
    """Read a field (H, W, ...) at points (..., 2), clamped to its edges."""
    height, width = field.shape[:2]
    columns = np.clip(points[..., 0], 0, width - 1).astype(int)
    rows = np.clip(points[..., 1], 0, height - 1).astype(int)
    return field[rows, columns]


def trace(starts: Array, guide: Guide, brush: Brush, rng: np.random.Generator) -> Strokes:
    """Follow the flow, either way, until the length is reached or the colour has changed."""
    step_px = max(brush.width_px / 2, brush.length_px / 24, 2)
    steps = max(2, round(brush.length_px / step_px))
    colours = pick(guide.reference, starts)
    place, alive, counts = starts.copy(), np.ones(len(starts), bool), np.ones(len(starts), int)
    points, heading = [place.copy()], rng.normal(0, 1, place.shape)
    for _ in range(steps):
        angle = pick(guide.flow, place)
        ahead = np.stack([np.cos(angle), np.sin(angle)], -1)
        # An angle and its opposite are one flow: keep to the side that the stroke already runs.
        heading = np.where((ahead * heading).sum(-1, keepdims=True) < 0, -ahead, ahead)
        place = place + step_px * heading
        alive &= np.abs(pick(guide.reference, place) - colours).max(-1) < brush.tolerance
        counts += alive
        points.append(place.copy())
    return Strokes(np.stack(points, 1), np.maximum(counts, 2), colours)


def paint(canvas: Image.Image, guide: Guide, brush: Brush, rng: np.random.Generator) -> None:
    """Cover the canvas, in place, with one layer of strokes."""
    size = (guide.reference.shape[1], guide.reference.shape[0])
    starts = scatter(rng, size, brush.spacing_px, guide.where)
    draw_strokes(canvas, trace(starts, guide, brush, rng), brush, rng)


def draw_strokes(canvas: Image.Image, strokes: Strokes, brush: Brush, rng: np.random.Generator) -> None:
    """Draw every stroke as a bundle of bristles, each with its own shade, height and length."""
    n, k = strokes.points.shape[:2]
    if n == 0:
        return
    hairs = hair_points(strokes.points, brush, rng)  # (N, B, K, 2)
    inks = hair_inks(strokes.colours, brush, rng)  # (N, B, 4) uint8
    ends = np.clip(strokes.counts[:, None] - rng.integers(0, max(2, k // 5), inks.shape[:2]), 2, k)
    width = max(1, round(brush.width_px * SCALE / brush.bristles * 1.5))
    draw = ImageDraw.Draw(canvas)
    for i in range(n):
        for hair, ink, end in zip(hairs[i], inks[i].tolist(), ends[i], strict=True):
            draw.line(hair[:end].ravel().tolist(), tuple(ink), width)


def hair_points(points: Array, brush: Brush, rng: np.random.Generator) -> Array:
    """Spread each stroke's path into parallel bristles, pressed wider at mid-stroke: (N, B, K, 2)."""
    n, k = points.shape[:2]
    along = np.gradient(points, axis=1)
    normal = np.stack([-along[..., 1], along[..., 0]], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-6
    press = 0.55 + 0.45 * np.sin(np.pi * np.linspace(0.12, 0.95, k, dtype=np.float32))
    offset = np.linspace(-0.5, 0.5, brush.bristles, dtype=np.float32) if brush.bristles > 1 else np.zeros(1)
    offset = offset + rng.normal(0, 0.25 / brush.bristles, (n, brush.bristles))
    shift = offset[:, :, None, None] * brush.width_px * press[None, None, :, None] * normal[:, None]
    return (points[:, None] + shift).astype(np.float32) * SCALE


def hair_inks(colours: Array, brush: Brush, rng: np.random.Generator) -> np.ndarray:
    """Vary the colour by stroke and by bristle; ridges of paint stand at the stroke's sides."""
    n, b = len(colours), brush.bristles
    tint = rng.normal(0, brush.tint, (n, 1, 3)) * [1, 0.8, 1] + rng.normal(0, brush.tint, (n, 1, 1))
    ink = colours[:, None] + tint + rng.normal(0, brush.streak, (n, b, 1))
    ridge = np.abs(np.linspace(-1, 1, b)) ** 3 if b > 1 else np.ones(1)
    height = brush.relief * (0.35 + 0.3 * ridge + rng.uniform(0, 0.35, (n, b)) + rng.uniform(-0.15, 0.15, (n, 1)))
    return (np.clip(np.concatenate([ink, height[..., None]], -1), 0, 1) * 255).astype(np.uint8)


def draw_line(canvas: Image.Image, path: Array, colour: Array, brush: Brush, rng: np.random.Generator) -> None:
    """Draw one stroke along a path (K, 2) in units of the height."""
    points = (path * canvas.height / SCALE)[None].astype(np.float32)
    draw_strokes(canvas, Strokes(points, np.array([len(path)]), colour[None]), brush, rng)


def light(canvas: Image.Image, finish: Finish, rng: np.random.Generator) -> Image.Image:
    """Light the paint from the upper left and return the finished picture."""
    width, height = canvas.width // SCALE, canvas.height // SCALE
    sheet = np.asarray(canvas, np.float32).reshape(height, SCALE, width, SCALE, 4).mean((1, 3)) / 255
    thickness = blur(sheet[..., 3], 0.7) + weave(rng, (width, height), finish.weave)
    down, across = np.gradient(thickness)
    slope = np.clip((across + down) * 0.9, -0.5, 0.5)
    colour = sheet[..., :3] * (1 + finish.impasto * slope[..., None])
    colour += finish.gloss * np.maximum(slope - 0.06, 0)[..., None] * 3
    return Image.fromarray((np.clip(colour, 0, 1) * 255 + 0.5).astype(np.uint8))


def weave(rng: np.random.Generator, size: Size, height: float) -> Array:
    """Return the threads of a canvas, slightly uneven."""
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    sway = 1.5 * noise(rng, size, (7, 7), 3)
    threads = np.sin((columns + sway) * 1.55) + np.sin((rows + sway) * 1.55)
    return (height * threads * (1 + 0.5 * noise(rng, size, (9, 9), 2))).astype(np.float32)
