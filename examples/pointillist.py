"""Paint a river at dusk in dots: a designed underpainting, then small touches of divided colour."""

import colorsys
from dataclasses import dataclass

import numpy as np
from brush import SCALE, Finish, blank, light, pick, scatter
from fields import Array, Point, blur, ellipse, grid, lay, noise, polygon, ramp, rgb, smoothstep, spline
from PIL import Image, ImageDraw

SIZE = (930, 620)
SHORE = 0.47  # where the far water begins, in picture heights
SUN = (0.93, 0.395)

SKY = (
    (0.0, "#2b3f8f"),
    (0.16, "#6663b3"),
    (0.28, "#c07db0"),
    (0.37, "#f29a7c"),
    (0.44, "#ffd27a"),
    (0.5, "#ffe9a8"),
)
MEADOW = ((0.46, "#8a9a4a"), (0.58, "#6f9a45"), (0.75, "#3f7f4a"), (1.0, "#1f4f4b"))
POPLARS = (
    (0.10, 0.20, 0.60),
    (0.19, 0.125, 0.58),
    (0.27, 0.235, 0.555),
    (0.335, 0.275, 0.53),
    (0.385, 0.335, 0.515),
)


@dataclass(frozen=True)
class Dots:
    """One layer of dots: radius and spacing in pixels, colours as shares."""

    radius_px: float
    spacing_px: float
    tint: float
    fleck: float


def sky(rng: np.random.Generator) -> Array:
    """Return the evening sky with its sun and long clouds."""
    x, y = grid(SIZE)
    picture = ramp(y + 0.02 * noise(rng, SIZE, (3, 5), 3), SKY)
    clouds = smoothstep(0.15, 0.75, noise(rng, SIZE, (3, 11), 3)) * smoothstep(0.44, 0.25, y)
    picture = lay(picture, 0.75 * clouds, ramp(y, ((0.0, "#8f86c9"), (0.2, "#f0a8b0"), (0.4, "#ffdfa0"))))
    glow = np.exp(-((np.hypot(x - SUN[0], (y - SUN[1]) * 1.25) / 0.17) ** 2))
    picture = lay(picture, 0.75 * glow, rgb("#ffdf85"))
    return lay(picture, smoothstep(1.08, 0.92, ellipse(SIZE, SUN, (0.036, 0.036))), rgb("#fffbe0"))


def hills(picture: Array, rng: np.random.Generator) -> Array:
    """Add three ranges of hills and the far trees, nearer ones darker."""
    _x, y = grid(SIZE)
    for top, height, cells, colour in (
        (0.415, 0.050, 3, "#9a7fb8"),
        (0.440, 0.030, 5, "#6f6cae"),
        (0.462, 0.022, 14, "#3f5f86"),
    ):
        crest = top + height * noise(rng, (SIZE[0], 2), (cells, 2), 3)[0]
        picture = lay(picture, smoothstep(-0.002, 0.003, y - crest[None, :]), rgb(colour))
    return picture


def river(picture: Array, rng: np.random.Generator) -> Array:
    """Add the water: all that stands above the shore, upside down, darker and rippled."""
    x, y = grid(SIZE)
    depth = np.clip(y - SHORE, 0, None)
    ripple = noise(rng, SIZE, (5, 60), 2) * (0.004 + 0.05 * depth)
    rows = np.clip((SHORE - depth * 0.86 + ripple) * SIZE[1], 0, SIZE[1] - 1).astype(int)
    columns = np.indices(rows.shape)[1]
    water = picture[rows, columns] * (0.92 - 0.25 * depth[..., None]) * np.array([0.98, 0.95, 1.0])
    path = np.exp(-(((x - SUN[0]) / (0.025 + 0.16 * depth)) ** 2)) * smoothstep(-0.5, 0.5, noise(rng, SIZE, (9, 80), 2))
    water = lay(water.astype(np.float32), 0.85 * path, rgb("#ffd98c"))
    return lay(picture, smoothstep(SHORE - 0.001, SHORE + 0.002, y), water)


def banks(picture: Array, rng: np.random.Generator) -> Array:
    """Add the meadow on the left and the far spit on the right."""
    x, y = grid(SIZE)
    left = spline([(-0.02, 0.485), (0.3, 0.48), (0.55, 0.482), (0.70, 0.492), (0.62, 0.54), (0.50, 0.60), (0.53, 0.70)])
    left = np.concatenate([left, spline([(0.53, 0.70), (0.66, 0.81), (0.83, 0.93), (0.93, 1.02)]), [(-0.02, 1.02)]])
    meadow = ramp(y + 0.05 * noise(rng, SIZE, (7, 12), 3), MEADOW)
    light_strip = np.exp(-(((y - 0.62 - 0.10 * x + 0.03 * noise(rng, SIZE, (4, 4), 2)) / 0.035) ** 2))
    meadow = lay(meadow, 0.75 * light_strip, rgb("#e3c552"))
    spit = polygon(SIZE, spline([(1.52, 0.50), (1.3, 0.492), (1.13, 0.505), (1.26, 0.535), (1.52, 0.565)]), 1)
    picture = lay(picture, polygon(SIZE, left, 1), meadow)
    return lay(picture, spit, ramp(y, ((0.49, "#7f8f58"), (0.56, "#35586a"))))


def poplar(picture: Array, tree: tuple[float, float, float], rng: np.random.Generator) -> Array:
    """Add one poplar, lit from the right, and its long shadow; `tree` is x, top and foot."""
    x, _y = grid(SIZE)
    place, top, foot = tree
    middle, half = (top + foot) / 2 - 0.01, (foot - top) / 2
    shadow = ellipse(SIZE, (place - half * 0.75, foot + 0.035), (half * 0.85, 0.017), -0.10)
    picture = lay(picture, 0.75 * smoothstep(1.1, 0.6, shadow), rgb("#2d3f74"))
    trunk = polygon(
        SIZE, [(place - 0.006, middle), (place + 0.006, middle), (place + 0.008, foot), (place - 0.008, foot)]
    )
    picture = lay(picture, trunk, rgb("#4a3350"))
    crown = ellipse(SIZE, (place, middle - 0.01), (half * 0.24, half * 0.97)) + 0.16 * noise(rng, SIZE, (30, 24), 2)
    lit = (x - place) / (half * 0.26) + 0.5 * noise(rng, SIZE, (26, 26), 2)
    leaves = ramp(lit, ((-1.0, "#1d3560"), (-0.2, "#22594f"), (0.4, "#5c8a3c"), (1.0, "#e0b43f")))
    return lay(picture, smoothstep(1.05, 0.9, crown), leaves)


def sailboat(picture: Array, place: Point, height: float) -> Array:
    """Add a small boat with two sails and its reflection."""
    x, y = place
    for sign, share in ((1, 1.0), (-0.62, 0.55)):
        main = [(x, y), (x + 0.01 * height, y - sign * height), (x + 0.52 * height, y - sign * 0.10 * height)]
        jib = [(x - 0.03 * height, y), (x - 0.02 * height, y - sign * 0.86 * height), (x - 0.30 * height, y)]
        picture = lay(picture, share * polygon(SIZE, main), rgb("#fff0cf"))
        picture = lay(picture, share * polygon(SIZE, jib), rgb("#f4b79a"))
    hull = [(x - 0.36, -0.02), (x + 0.6, -0.02), (x + 0.45, 0.11), (x - 0.26, 0.11)]
    hull = [(x + (u - x) * height, y + v * height) for u, v in hull]
    return lay(picture, polygon(SIZE, hull), rgb("#3a2a5c"))


def stroller(picture: Array, place: Point, height: float) -> Array:
    """Add a lady with a parasol, seen from behind, and her shadow."""

    def form(points: list[Point], colour: str) -> None:
        nonlocal picture
        shape = spline([(place[0] + u * height, place[1] - v * height) for u, v in points], closed=True)
        picture = lay(picture, polygon(SIZE, shape), rgb(colour))

    form([(-0.05, 0.02), (-0.55, -0.03), (-1.1, -0.12), (-0.9, -0.16), (-0.4, -0.08), (0.1, -0.01)], "#2c4468")
    form([(-0.20, 0.0), (-0.15, 0.25), (-0.07, 0.50), (0.06, 0.50), (0.13, 0.25), (0.18, 0.0)], "#3b2f73")
    form([(0.08, 0.02), (0.07, 0.30), (0.05, 0.48), (0.12, 0.28), (0.18, 0.02)], "#b5658f")
    form([(-0.07, 0.48), (-0.10, 0.62), (-0.06, 0.74), (0.05, 0.74), (0.09, 0.62), (0.06, 0.48)], "#b8323c")
    form([(-0.045, 0.76), (-0.05, 0.85), (0.0, 0.89), (0.05, 0.85), (0.045, 0.76)], "#5a3326")
    form([(0.06, 0.66), (0.17, 0.62), (0.16, 0.95), (0.14, 0.95), (0.14, 0.68)], "#8a4a3a")
    form([(-0.22, 0.90), (-0.12, 1.06), (0.10, 1.14), (0.32, 1.05), (0.42, 0.87), (0.10, 0.95)], "#f0793a")
    form([(0.12, 0.96), (0.12, 1.13), (0.32, 1.05), (0.41, 0.88)], "#ffd273")
    return picture


def underpainting(rng: np.random.Generator) -> Array:
    """Design the whole landscape, smooth and without a touch of the brush."""
    picture = river(hills(sky(rng), rng), rng)
    picture = sailboat(banks(picture, rng), (1.13, 0.585), 0.135)
    for tree in reversed(POPLARS):
        picture = poplar(picture, tree, rng)
    return stroller(picture, (0.475, 0.86), 0.20)


def divide(colours: Array, dots: Dots, rng: np.random.Generator) -> np.ndarray:
    """Break each colour into purer neighbours, some of them its complement: (N, 3) uint8."""
    result = np.empty((len(colours), 3), np.uint8)
    turns = rng.normal(0, dots.tint, len(colours))
    flecks = rng.random(len(colours)) < dots.fleck
    values = rng.normal(1.02, 0.09, len(colours))
    for i, (red, green, blue) in enumerate(np.clip(colours, 0, 1).tolist()):
        hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
        hue, saturation = hue + turns[i] + 0.5 * flecks[i], min(1, saturation * 1.04 + 0.03)
        value = min(1, value * values[i] + 0.05 * flecks[i])
        result[i] = [int(255 * c) for c in colorsys.hsv_to_rgb(hue % 1, saturation * (1 - 0.3 * flecks[i]), value)]
    return result


def dot_layer(canvas: Image.Image, reference: Array, dots: Dots, rng: np.random.Generator) -> None:
    """Set one layer of dots on the canvas, in place."""
    places = scatter(rng, SIZE, dots.spacing_px)
    inks = divide(pick(reference, places), dots, rng)
    radii = dots.radius_px * SCALE * rng.uniform(0.75, 1.2, len(places))
    heights = rng.integers(90, 230, len(places))
    draw = ImageDraw.Draw(canvas)
    for (x, y), ink, r, height in zip(
        (places * SCALE).tolist(), inks.tolist(), radii.tolist(), heights.tolist(), strict=True
    ):
        draw.ellipse((x - r, y - r, x + r, y + r), (*ink, height))


def flowers(canvas: Image.Image, rng: np.random.Generator) -> None:
    """Scatter flowers over the near meadow, larger towards the viewer."""
    draw = ImageDraw.Draw(canvas)
    for _ in range(420):
        y = 0.70 + 0.30 * rng.random() ** 0.7
        x = rng.random() * (0.50 + 1.35 * max(0, y - 0.70))
        r = SCALE * SIZE[1] * (0.0022 + 0.006 * (y - 0.68)) * rng.uniform(0.8, 1.3)
        colour = rgb(str(rng.choice(["#f04a3a", "#ffe6ef", "#ffd23f", "#f28ab8", "#ffffff"])))
        ink = (*(int(255 * c) for c in colour), 230)
        u, v = x * SIZE[1] * SCALE, y * SIZE[1] * SCALE
        draw.ellipse((u - r, v - r, u + r, v + r), ink)


def compose(rng: np.random.Generator) -> Image.Image:
    """Paint the landscape in four layers of ever smaller dots."""
    reference = underpainting(rng)
    canvas = blank(SIZE, rgb("#c9b191"))
    dot_layer(canvas, blur(reference, 3), Dots(6.0, 6.0, 0.015, 0.02), rng)
    dot_layer(canvas, blur(reference, 1), Dots(3.6, 4.2, 0.03, 0.05), rng)
    dot_layer(canvas, reference, Dots(2.7, 4.4, 0.03, 0.05), rng)
    dot_layer(canvas, reference, Dots(2.1, 5.0, 0.03, 0.05), rng)
    flowers(canvas, rng)
    return light(canvas, Finish(impasto=0.35, gloss=0.03, weave=0.01), rng)
