"""Paint an expressive head: a lady in a wide hat, in violent colour, thick strokes and dark contours."""

import numpy as np
from brush import Brush, Finish, Guide, blank, draw_line, light, paint
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
from PIL import Image

SIZE = (780, 907)
INK = "#141033"

FACE = [(0.315, 0.33), (0.285, 0.44), (0.30, 0.56), (0.345, 0.67), (0.405, 0.735), (0.45, 0.745)]
FACE += [(0.51, 0.71), (0.57, 0.61), (0.602, 0.48), (0.595, 0.35), (0.45, 0.27)]
HAIR = [(0.30, 0.26), (0.235, 0.38), (0.225, 0.53), (0.25, 0.65), (0.31, 0.735), (0.36, 0.76), (0.54, 0.76)]
HAIR += [(0.62, 0.72), (0.665, 0.60), (0.675, 0.45), (0.63, 0.30), (0.45, 0.20)]
NECK = [(0.375, 0.66), (0.372, 0.80), (0.34, 0.86), (0.45, 0.93), (0.57, 0.85), (0.535, 0.79), (0.53, 0.66)]
DRESS = [(-0.05, 1.05), (0.02, 0.93), (0.16, 0.855), (0.34, 0.815), (0.44, 0.915), (0.56, 0.81)]
DRESS += [(0.72, 0.85), (0.84, 0.92), (0.92, 1.05)]
BRIM = [(0.085, 0.36), (0.13, 0.265), (0.30, 0.215), (0.50, 0.195), (0.70, 0.20), (0.80, 0.255)]
BRIM += [(0.775, 0.315), (0.66, 0.325), (0.48, 0.315), (0.32, 0.345), (0.19, 0.395)]
CROWN = [
    (0.27, 0.25),
    (0.265, 0.15),
    (0.33, 0.07),
    (0.46, 0.045),
    (0.58, 0.075),
    (0.645, 0.15),
    (0.645, 0.235),
]
CROWN += [(0.46, 0.225)]
BAND = [(0.268, 0.255), (0.267, 0.195), (0.45, 0.165), (0.645, 0.175), (0.648, 0.24), (0.46, 0.228)]
SHADOW = [
    (0.462, 0.30),
    (0.455, 0.45),
    (0.49, 0.575),
    (0.455, 0.60),
    (0.47, 0.64),
    (0.455, 0.75),
    (0.66, 0.75),
    (0.66, 0.28),
]
LEFT_EYE = [(0.335, 0.452), (0.362, 0.432), (0.395, 0.434), (0.422, 0.458), (0.393, 0.472), (0.358, 0.470)]
RIGHT_EYE = [(0.492, 0.456), (0.520, 0.430), (0.553, 0.428), (0.580, 0.446), (0.556, 0.466), (0.520, 0.470)]
UPPER_LIP = [(0.392, 0.648), (0.425, 0.630), (0.446, 0.638), (0.466, 0.630), (0.505, 0.645), (0.45, 0.654)]
LOWER_LIP = [(0.397, 0.650), (0.45, 0.655), (0.50, 0.648), (0.474, 0.676), (0.445, 0.682), (0.42, 0.674)]

# Contours: points and width in pixels.
LINES: tuple[tuple[list[Point], float], ...] = (
    ([(0.300, 0.37), (0.285, 0.45), (0.302, 0.56), (0.345, 0.67), (0.405, 0.735), (0.45, 0.745)], 9),
    ([(0.45, 0.745), (0.51, 0.71), (0.57, 0.61), (0.602, 0.48), (0.600, 0.34)], 10),
    ([(0.235, 0.38), (0.222, 0.53), (0.25, 0.65), (0.31, 0.735), (0.365, 0.765)], 9),
    ([(0.535, 0.765), (0.62, 0.72), (0.668, 0.60), (0.678, 0.45), (0.655, 0.335)], 10),
    ([(0.478, 0.425), (0.470, 0.48), (0.480, 0.53), (0.497, 0.570), (0.474, 0.592), (0.440, 0.583)], 7),
    ([(0.418, 0.570), (0.422, 0.585), (0.440, 0.588)], 5),
    ([(0.320, 0.425), (0.350, 0.397), (0.395, 0.394), (0.437, 0.415)], 11),
    ([(0.478, 0.420), (0.515, 0.390), (0.560, 0.384), (0.592, 0.402)], 11),
    ([(0.328, 0.456), (0.362, 0.431), (0.396, 0.432), (0.428, 0.462)], 8),
    ([(0.486, 0.460), (0.520, 0.429), (0.554, 0.426), (0.588, 0.445)], 8),
    ([(0.345, 0.466), (0.375, 0.474), (0.410, 0.468)], 3.5),
    ([(0.505, 0.467), (0.535, 0.471), (0.567, 0.461)], 3.5),
    ([(0.388, 0.649), (0.425, 0.651), (0.446, 0.656), (0.470, 0.651), (0.510, 0.645)], 5),
    ([(0.425, 0.694), (0.447, 0.699), (0.470, 0.693)], 5),
    ([(0.372, 0.71), (0.372, 0.79), (0.335, 0.835)], 9),
    ([(0.535, 0.70), (0.535, 0.78), (0.57, 0.825)], 9),
    (
        [
            (-0.02, 0.965),
            (0.05, 0.91),
            (0.16, 0.86),
            (0.34, 0.812),
            (0.44, 0.918),
            (0.56, 0.806),
            (0.72, 0.85),
            (0.84, 0.92),
            (0.92, 1.05),
        ],
        11,
    ),
    ([(0.085, 0.36), (0.13, 0.265), (0.245, 0.232)], 11),
    ([(0.645, 0.197), (0.72, 0.202), (0.80, 0.255), (0.775, 0.315), (0.66, 0.325), (0.48, 0.315)], 11),
    ([(0.085, 0.36), (0.11, 0.395), (0.19, 0.395), (0.32, 0.345), (0.48, 0.315)], 12),
    (
        [
            (0.262, 0.185),
            (0.266, 0.14),
            (0.33, 0.07),
            (0.46, 0.045),
            (0.58, 0.075),
            (0.645, 0.15),
            (0.648, 0.235),
        ],
        11,
    ),
    ([(0.355, 0.238), (0.46, 0.226), (0.56, 0.228), (0.648, 0.240)], 8),
    ([(0.43, 0.167), (0.49, 0.164), (0.56, 0.166), (0.645, 0.177)], 6),
)

# Centre, radius, colour, colour of the heart.
FLOWERS = (
    ((0.300, 0.222), 0.050, "#f2405a", "#ffd84a"),
    ((0.385, 0.198), 0.043, "#fff0b8", INK),
    ((0.325, 0.142), 0.036, "#f7943a", "#ffd84a"),
)


def petals(centre: Point, radius: float) -> list[Point]:
    """Return the outline of a flower of five petals, not quite closed."""
    angles = np.linspace(0, 2 * np.pi * 0.96, 26)
    reach = radius * (0.86 + 0.16 * np.abs(np.sin(2.5 * angles)))
    return [(centre[0] + r * np.cos(a), centre[1] + r * np.sin(a)) for a, r in zip(angles, reach, strict=True)]


def lean(points: list[Point] | Array) -> Array:
    """Tilt the head and stretch it: an upright face would be too calm."""
    x, y = np.array(points, np.float32).T
    rise = np.clip(0.86 - y, 0, None)
    return np.stack([x + 0.12 * rise - 0.025, y - 0.13 * (x - 0.44) * np.minimum(rise * 4, 1)], -1)


def fill(points: list[Point], soft_px: float = 1.0) -> Array:
    """Return the mask of a smooth closed form."""
    return polygon(SIZE, spline(lean(points), closed=True), soft_px)


def spot_at(centre: Point) -> Point:
    """Tilt one point with the head."""
    x, y = lean([centre])[0]
    return float(x), float(y)


def background(rng: np.random.Generator) -> Array:
    """Return a burning sky over a green night, in broad swirls."""
    x, y = grid(SIZE)
    swirl = y + 0.22 * x + 0.22 * noise(rng, SIZE, (3, 3), 3)
    stops = (
        (0.05, "#f2c11f"),
        (0.25, "#f08a1c"),
        (0.42, "#e2432a"),
        (0.55, "#0f8a7a"),
        (0.78, "#1d5fc0"),
        (1.05, "#3b1f86"),
    )
    picture = ramp(swirl, stops)
    halo = np.exp(-(((ellipse(SIZE, (0.44, 0.42), (0.33, 0.45)) - 1.05) / 0.12) ** 2))
    return lay(picture, 0.55 * halo, rgb("#f7dc4a"))


def figure(picture: Array, rng: np.random.Generator) -> Array:
    """Add hair, neck and dress."""
    x, _y = grid(SIZE)
    wave = noise(rng, SIZE, (9, 5), 3)
    picture = lay(
        picture,
        fill(HAIR),
        ramp(wave + 2.2 * (0.5 - x), ((-0.7, "#2a1a7a"), (0, "#5b2aa0"), (0.6, "#b0308f"))),
    )
    picture = lay(
        picture,
        fill(NECK),
        ramp(x + 0.05 * wave, ((0.38, "#f07a3c"), (0.45, "#d84a4a"), (0.47, "#1f8f6a"), (0.56, "#0d5a68"))),
    )
    dress = ramp(
        x + 0.25 * wave,
        ((0.0, "#e02f2a"), (0.25, "#c81f4a"), (0.45, "#8a1560"), (0.6, "#c2203a"), (0.85, "#f0562a")),
    )
    return lay(picture, fill(DRESS), dress)


def face(picture: Array, rng: np.random.Generator) -> Array:
    """Add the face: a hot side, a green side, and planes of colour between."""
    x, y = grid(SIZE)
    drift = 0.05 * noise(rng, SIZE, (6, 6), 3)
    mask = fill(FACE)
    hot = ramp(
        y + drift - 0.25 * (x - 0.4),
        ((0.33, "#f6d257"), (0.45, "#fbb24a"), (0.56, "#f58a4e"), (0.72, "#f7c064")),
    )
    cold = ramp(
        y + drift + 0.3 * (x - 0.5),
        ((0.35, "#2f9f7c"), (0.48, "#57b56a"), (0.60, "#1f9a94"), (0.74, "#1f6aa8")),
    )
    picture = lay(picture, mask, lay(hot, fill(SHADOW, 2), cold))
    for centre, radii, turn, colour, share in (
        ((0.345, 0.575), (0.050, 0.045), 0.5, "#ef3f5c", 0.85),
        ((0.545, 0.570), (0.035, 0.050), -0.3, "#b8c93a", 0.8),
        ((0.452, 0.490), (0.014, 0.085), -0.05, "#fff0a0", 0.9),
        ((0.375, 0.425), (0.055, 0.022), -0.1, "#4a8fd0", 0.75),
        ((0.535, 0.418), (0.055, 0.024), -0.1, "#5a35a0", 0.75),
        ((0.405, 0.700), (0.035, 0.022), 0.6, "#5fb8a8", 0.6),
        ((0.360, 0.365), (0.060, 0.022), -0.2, "#3aa07f", 0.7),
    ):
        spot = smoothstep(1.25, 0.7, ellipse(SIZE, spot_at(centre), radii, turn - 0.13)) * mask
        picture = lay(picture, share * spot, rgb(colour))
    return picture


def features(picture: Array) -> Array:
    """Add eyes and lips."""
    x, _y = grid(SIZE)
    for eye, iris, white in ((LEFT_EYE, (0.384, 0.451), "#fff3cf"), (RIGHT_EYE, (0.541, 0.448), "#cfe9d8")):
        mask = fill(eye, 0.7)
        picture = lay(picture, mask, rgb(white))
        picture = lay(
            picture,
            mask * smoothstep(1.1, 0.95, ellipse(SIZE, spot_at(iris), (0.020, 0.022))),
            rgb("#1668b8"),
        )
        picture = lay(picture, mask * smoothstep(1.1, 0.9, ellipse(SIZE, spot_at(iris), (0.010, 0.012))), rgb(INK))
    picture = lay(picture, fill(UPPER_LIP, 0.7), ramp(x, ((0.44, "#e0202f"), (0.47, "#8f1248"))))
    return lay(picture, fill(LOWER_LIP, 0.7), ramp(x, ((0.43, "#f5464a"), (0.48, "#b01a4f"))))


def hat(picture: Array, rng: np.random.Generator) -> Array:
    """Add the hat, its band and three flowers."""
    x, _y = grid(SIZE)
    wave = 0.08 * noise(rng, SIZE, (5, 8), 3)
    brim = ramp(x + wave, ((0.10, "#2fb5a0"), (0.35, "#1c86c8"), (0.55, "#1f4fb8"), (0.78, "#22258a")))
    crown = ramp(x + wave, ((0.27, "#59d0a8"), (0.42, "#1f9fc8"), (0.6, "#2146b0")))
    picture = lay(picture, fill(CROWN), crown)
    picture = lay(picture, fill(BRIM), brim)
    picture = lay(picture, fill(BAND), ramp(x + wave, ((0.28, "#ffcf3a"), (0.45, "#f0802a"), (0.64, "#c8302f"))))
    for centre, radius, colour, heart in FLOWERS:
        picture = lay(picture, fill(petals(centre, radius)), rgb(colour))
        middle = smoothstep(0.45, 0.3, ellipse(SIZE, spot_at(centre), (radius, radius)))
        picture = lay(picture, middle, rgb(heart))
    return picture


def flow_of(reference: Array, rng: np.random.Generator) -> Array:
    """Return the angles of the strokes: along the forms, and swirling round the head elsewhere."""
    x, y = grid(SIZE)
    around = np.arctan2(y - 0.42, x - 0.44) + np.pi / 2 + 0.9 * noise(rng, SIZE, (3, 3), 2)
    body = np.maximum.reduce([fill(form) for form in (FACE, HAIR, NECK, DRESS, BRIM, CROWN)])
    forms = sum((i + 1) * fill(form, 0) for i, form in enumerate((HAIR, NECK, FACE, DRESS, BRIM, CROWN)))
    along = contour_flow(blur(forms, 5), 16) + 0.2 * noise(rng, SIZE, (5, 5), 2)
    return np.where(body > 0.5, along, around).astype(np.float32)


def contours(canvas: Image.Image, rng: np.random.Generator) -> None:
    """Draw the dark lines, each twice and never quite the same."""
    for points, width in (*LINES, *((petals(place, radius), 4.5) for place, radius, *_ in FLOWERS)):
        path = spline(lean(points))
        for shade, share in (("#1d1a5a", 1.0), (INK, 0.75)):
            sway = np.cumsum(rng.normal(0, 0.0003, path.shape), 0) + rng.normal(0, 0.0012, 2)
            brush = Brush(width * share, 0, 0, bristles=5, tint=0.015, streak=0.02, relief=0.8)
            draw_line(canvas, path + sway, rgb(shade), brush, rng)


def compose(rng: np.random.Generator) -> Image.Image:
    """Paint the head."""
    reference = np.clip(hat(features(face(figure(background(rng), rng), rng)), rng), 0, 1)
    flow = flow_of(reference, rng)
    canvas = blank(SIZE, rgb("#3a2a5c"))
    broad, fine = Guide(blur(reference, 3), flow), Guide(reference, flow, detail(reference))
    middle = Guide(reference, flow)
    paint(canvas, broad, Brush(24, 110, 12, bristles=9, tint=0.05, streak=0.04, relief=0.8, tolerance=0.3), rng)
    paint(canvas, middle, Brush(14, 60, 10, bristles=7, tint=0.06, streak=0.04, relief=0.9, tolerance=0.22), rng)
    paint(canvas, fine, Brush(7, 24, 4.5, bristles=5, tint=0.03, relief=0.8, tolerance=0.14), rng)
    contours(canvas, rng)
    return light(canvas, Finish(impasto=0.8, gloss=0.08, weave=0.01), rng)
