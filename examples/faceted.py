"""Paint a faceted still life: bottle, guitar, glass and table, broken up and seen from many sides at once."""

from dataclasses import dataclass

import numpy as np
from brush import Brush, Finish, Guide, blank, draw_line, light, paint, pick
from fields import (
    Array,
    Point,
    blur,
    contour_flow,
    detail,
    ellipse,
    grid,
    lay,
    noise,
    polygon,
    ramp,
    rgb,
    smoothstep,
    spline,
)
from PIL import Image, ImageDraw

SIZE = (720, 930)
RATIO = SIZE[0] / SIZE[1]
DARK = "#1f1a15"

GUITAR = [(0.20, 0.60), (0.25, 0.52), (0.33, 0.535), (0.40, 0.565), (0.47, 0.53), (0.56, 0.55), (0.60, 0.635)]
GUITAR += [(0.565, 0.725), (0.47, 0.735), (0.40, 0.69), (0.32, 0.72), (0.23, 0.69)]
BOTTLE = [
    (0.285, 0.115),
    (0.345, 0.115),
    (0.345, 0.24),
    (0.375, 0.29),
    (0.40, 0.34),
    (0.40, 0.58),
    (0.23, 0.58),
]
BOTTLE += [(0.23, 0.34), (0.255, 0.29), (0.285, 0.24)]
GLASS = [
    (0.53, 0.34),
    (0.66, 0.34),
    (0.645, 0.44),
    (0.605, 0.48),
    (0.605, 0.55),
    (0.65, 0.575),
    (0.54, 0.575),
]
GLASS += [(0.585, 0.55), (0.585, 0.48), (0.545, 0.44)]
PAPER = [(0.40, 0.70), (0.64, 0.66), (0.70, 0.80), (0.46, 0.845)]
TABLE = [(-0.05, 0.66), (0.10, 0.54), (0.68, 0.52), (0.85, 0.63), (0.80, 0.86), (0.40, 0.93), (0.0, 0.85)]


@dataclass(frozen=True)
class Facets:
    """The broken plane: a facet's number for each pixel, and each facet's corners."""

    labels: np.ndarray
    corners: list[Array]


def split(corners: Array, rng: np.random.Generator, depth: int) -> list[Array]:
    """Cut a polygon by straight lines, again and again; smaller pieces near the middle."""
    centre = corners.mean(0)
    far = np.hypot((centre[0] - 0.40) / 0.40, (centre[1] - 0.52) / 0.52)
    extent = np.ptp(corners, axis=0).max()
    if depth == 0 or extent < 0.05 + 0.20 * far**2 * rng.uniform(0.6, 1.2):
        return [corners]
    long_way = 0.0 if np.ptp(corners[:, 1]) > np.ptp(corners[:, 0]) else 90.0
    angle = np.radians(long_way + rng.choice([-38, -24, -8, 8, 24, 38, 62]) + rng.normal(0, 4))
    normal = np.array([-np.sin(angle), np.cos(angle)])
    side = (corners - centre - rng.normal(0, 0.12, 2) * extent) @ normal
    if (side > 0).all() or (side < 0).all():
        return split(corners, rng, depth - 1)
    return [piece for s in (side, -side) for piece in split(clip(corners, s), rng, depth - 1)]


def clip(corners: Array, side: Array) -> Array:
    """Keep the part of a polygon whose side value is positive."""
    kept = []
    for i in range(len(corners)):
        j = (i + 1) % len(corners)
        if side[i] >= 0:
            kept.append(corners[i])
        if side[i] * side[j] < 0:
            kept.append(corners[i] + (corners[j] - corners[i]) * side[i] / (side[i] - side[j]))
    return np.array(kept, np.float32)


def shatter(rng: np.random.Generator) -> Facets:
    """Break the picture plane into facets."""
    frame = np.array([(-0.01, -0.01), (RATIO + 0.01, -0.01), (RATIO + 0.01, 1.01), (-0.01, 1.01)], np.float32)
    corners = split(frame, rng, 9)
    sheet = Image.new("I", SIZE)
    draw = ImageDraw.Draw(sheet)
    for number, piece in enumerate(corners):
        draw.polygon([(x * SIZE[1], y * SIZE[1]) for x, y in piece], fill=number)
    return Facets(np.asarray(sheet), corners)


def scene(rng: np.random.Generator) -> Array:
    """Design the still life whole, before it is broken."""
    x, y = grid(SIZE)
    middle = np.exp(-(((x - 0.40) / 0.36) ** 2) - ((y - 0.50) / 0.42) ** 2)
    picture = ramp(middle + 0.12 * noise(rng, SIZE, (4, 5), 3), ((0.1, "#54503f"), (0.5, "#a08c62"), (1.0, "#d2b878")))
    picture = lay(picture, polygon(SIZE, TABLE, 1.5), ramp(y + 0.3 * x, ((0.6, "#a5743a"), (1.1, "#5a3c22"))))
    picture = lay(picture, polygon(SIZE, PAPER), rgb("#d9cda8"))
    picture = lay(picture, print_lines(x, y) * polygon(SIZE, PAPER), rgb("#4a4438"))
    picture = lay(picture, polygon(SIZE, BOTTLE), ramp((x - 0.23) / 0.17, BOTTLE_TONES))
    label = polygon(SIZE, [(0.235, 0.40), (0.395, 0.40), (0.395, 0.51), (0.235, 0.51)])
    picture = lay(picture, label, rgb("#d8c48d"))
    picture = lay(picture, polygon(SIZE, GLASS), ramp((x - 0.53) / 0.13, GLASS_TONES))
    return guitar(picture)


BOTTLE_TONES = ((0.0, "#16241d"), (0.3, "#3f6b4c"), (0.42, "#a9c49a"), (0.55, "#46714f"), (1.0, "#15211c"))
GLASS_TONES = ((0.0, "#7f8a86"), (0.3, "#dfe3d3"), (0.6, "#9aa69f"), (1.0, "#4c5755"))


def print_lines(x: Array, y: Array) -> Array:
    """Return the newspaper's lines of print, of uneven length."""
    row = (y + 0.17 * x) / 0.0125
    return smoothstep(0.25, 0.55, np.sin(2 * np.pi * row)) * (np.sin(x * 60 + np.floor(row) * 2.4) > -0.75)


def guitar(picture: Array) -> Array:
    """Add body, neck and sound hole of the guitar."""
    body = polygon(SIZE, spline(GUITAR, closed=True))
    edge = blur(body, 14)
    picture = lay(picture, body, ramp(edge, ((0.5, "#7d4a20"), (0.75, "#b9782f"), (1.0, "#d9a551"))))
    neck = polygon(SIZE, [(0.52, 0.60), (0.755, 0.50), (0.765, 0.535), (0.53, 0.65)])
    picture = lay(picture, neck, rgb("#3a2719"))
    picture = lay(picture, smoothstep(1.15, 1.0, ellipse(SIZE, (0.475, 0.645), (0.045, 0.05))), rgb("#ead9a0"))
    return lay(picture, smoothstep(1.1, 0.95, ellipse(SIZE, (0.475, 0.645), (0.036, 0.041))), rgb(DARK))


def displace(picture: Array, facets: Facets, rng: np.random.Generator) -> Array:
    """See the scene through each facet from a slightly different place, turn and distance."""
    x, y = grid(SIZE)
    n = len(facets.corners)
    centres = np.array([piece.mean(0) for piece in facets.corners], np.float32)[facets.labels]
    shift = rng.normal(0, 0.014, (n, 2)).astype(np.float32)[facets.labels]
    turn = rng.normal(0, 0.11, n).astype(np.float32)[facets.labels]
    zoom = rng.uniform(0.86, 1.08, n).astype(np.float32)[facets.labels]
    dx, dy = (x - centres[..., 0]) * zoom, (y - centres[..., 1]) * zoom
    there = np.stack([dx * np.cos(turn) - dy * np.sin(turn), dx * np.sin(turn) + dy * np.cos(turn)], -1)
    return pick(picture, (centres + shift + there) * SIZE[1])


def shade(picture: Array, facets: Facets, rng: np.random.Generator) -> Array:
    """Shade every facet from a dark edge to a light one, and tint it ochre, grey or green."""
    x, y = grid(SIZE)
    n = len(facets.corners)
    angle = rng.normal(0.9, 0.8, n) + np.pi * (rng.random(n) < 0.3)
    way = np.stack([np.cos(angle), np.sin(angle)], -1).astype(np.float32)
    along = [piece @ way[i] for i, piece in enumerate(facets.corners)]
    low = np.array([a.min() for a in along], np.float32)[facets.labels]
    high = np.array([a.max() for a in along], np.float32)[facets.labels]
    spot = x * way[:, 0][facets.labels] + y * way[:, 1][facets.labels]
    t = np.clip((spot - low) / (high - low), 0, 1)
    tints = np.stack([rgb(c) for c in ("#c79a4b", "#8f8d80", "#6f7d5c", "#b9ad88", "#5e5646")])
    tint = tints[rng.integers(0, len(tints), n)][facets.labels]
    blend = rng.uniform(0.03, 0.34, n).astype(np.float32)[facets.labels]
    tone = (0.5 + 0.85 * t**1.3) * rng.uniform(0.88, 1.12, n).astype(np.float32)[facets.labels]
    mixed = lay(picture, blend, tint)
    return np.clip(mixed * tone[..., None], 0.03, 0.97).astype(np.float32)


def edges(facets: Facets) -> Array:
    """Return a narrow band, 0 to 1, along every border between two facets."""
    labels = facets.labels
    border = (labels != np.roll(labels, 1, 0)) | (labels != np.roll(labels, 1, 1))
    return np.clip(blur(border.astype(np.float32), 2.0) * 4, 0, 1)


def ink_edges(canvas: Image.Image, facets: Facets, rng: np.random.Generator) -> None:
    """Strengthen some facets' edges with a dark stroke that fades out along its way."""
    for piece in facets.corners:
        for i in range(len(piece)):
            start, stop = piece[i], piece[(i + 1) % len(piece)]
            if np.hypot(*(stop - start)) < 0.03 or rng.random() < 0.62:
                continue
            t = np.linspace(-0.03, rng.uniform(0.55, 1.05), 14)[:, None]
            path = start + (stop - start) * t + rng.normal(0, 0.0006, (14, 2))
            width = rng.choice([1.6, 2.2, 3.2])
            draw_line(canvas, path, rgb(DARK), Brush(width, 0, 0, bristles=2, tint=0.012, relief=0.5), rng)


def ink_things(canvas: Image.Image, rng: np.random.Generator) -> None:
    """Draw the things' outlines in broken, shifted arcs, so that they can be found again."""
    hole = [(0.475 + 0.042 * np.cos(a), 0.645 + 0.047 * np.sin(a)) for a in np.linspace(0, 5.5, 9)]
    mouth = [(0.315 + 0.032 * np.cos(a), 0.113 + 0.010 * np.sin(a)) for a in np.linspace(0, 5.5, 9)]
    rim = [(0.595 + 0.067 * np.cos(a), 0.34 + 0.014 * np.sin(a)) for a in np.linspace(0, 5.5, 9)]
    rounds = [spline(points, closed=True) for points in (GUITAR, GUITAR, GUITAR, hole, mouth, rim)]
    for path in (*rounds, straight(BOTTLE), straight(GLASS), straight(PAPER)):
        for _ in range(5):
            begin = rng.integers(0, len(path))
            part = np.roll(path, -begin, 0)[: int(len(path) * rng.uniform(0.15, 0.36))]
            part = part[np.abs(np.diff(part, axis=0, prepend=part[:1])).max(1) < 0.1]
            ink_part(canvas, part + rng.normal(0, 0.0045, 2), rng)
    for k in range(5):
        ends = np.sort(rng.uniform(0.24, 0.78, 2))
        x = np.linspace(*ends, 16)
        y = 0.645 + (k - 2) * 0.0085 - 0.42 * (x - 0.475)
        draw_line(canvas, np.stack([x, y], -1), rgb("#efe3bd"), Brush(1.6, 0, 0, bristles=1, tint=0.02), rng)


def ink_part(canvas: Image.Image, path: Array, rng: np.random.Generator) -> None:
    """Draw one arc with an unsteady hand."""
    sway = np.cumsum(rng.normal(0, 0.0004, path.shape), 0)
    ink = rgb(DARK if rng.random() < 0.88 else "#e6d5a6")
    draw_line(canvas, path + sway, ink, Brush(rng.choice([2.0, 2.8, 3.6]), 0, 0, bristles=2, tint=0.012), rng)


def straight(points: list[Point], steps: int = 10) -> Array:
    """Walk along a polygon's sides in short steps: (K, 2)."""
    p = np.array([*points, points[0]], np.float32)
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    return (p[:-1, None] + (p[1:] - p[:-1])[:, None] * t).reshape(-1, 2)


def compose(rng: np.random.Generator) -> Image.Image:
    """Paint the still life."""
    facets = shatter(rng)
    reference = shade(displace(scene(rng), facets, rng), facets, rng)
    angles = rng.choice([0.0, 0.15, -0.5, 0.6, 1.2], len(facets.corners)) + rng.normal(0, 0.15, len(facets.corners))
    flow = angles[facets.labels].astype(np.float32)
    canvas = blank(SIZE, rgb("#7d725a"))
    guide = Guide(reference, flow)
    paint(canvas, guide, Brush(13, 30, 7, bristles=7, tint=0.015, tolerance=0.14), rng)
    paint(canvas, guide, Brush(7, 17, 4.5, bristles=5, tint=0.012, tolerance=0.09), rng)
    near_edge = np.maximum(smoothstep(0.0, 0.5, edges(facets)), detail(reference))
    along = Guide(reference, contour_flow(reference.mean(-1), 3), near_edge)
    paint(canvas, along, Brush(4, 13, 2.6, bristles=4, tint=0.01, tolerance=0.06), rng)
    ink_edges(canvas, facets, rng)
    ink_things(canvas, rng)
    return light(canvas, Finish(impasto=0.7, gloss=0.05, weave=0.02), rng)
