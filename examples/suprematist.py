"""Paint a suprematist composition: tilted planes, bars and a disc on a warm ground."""

from dataclasses import dataclass

import numpy as np
from brush import SCALE, Brush, Finish, Guide, blank, light, paint
from fields import Array, Point, blur, noise, polygon, rgb
from PIL import Image

SIZE = (820, 1040)


@dataclass(frozen=True)
class Plane:
    """One flat form: centre, length and width in picture heights, turn in degrees."""

    centre: Point
    length: float
    width: float
    turn: float
    colour: str
    taper: float = 1.0
    disc: bool = False


# Painted in this order, so later planes lie over earlier ones.
PLANES = (
    Plane((0.30, 0.61), 0.46, 0.25, -58, "#dfa79c", 0.72),
    Plane((0.46, 0.37), 0.40, 0.215, -24, "#20438f", 0.84),
    Plane((0.555, 0.64), 0.33, 0.05, 66, "#d9a520"),
    Plane((0.385, 0.50), 0.74, 0.038, -24, "#191718", 0.5),
    Plane((0.275, 0.69), 0.235, 0.235, 0, "#c5301f", disc=True),
    Plane((0.30, 0.735), 0.52, 0.016, -24, "#191718"),
    Plane((0.355, 0.79), 0.40, 0.010, -24, "#7a1f1a"),
    Plane((0.56, 0.285), 0.115, 0.115, -24, "#d23a22"),
    Plane((0.645, 0.175), 0.19, 0.028, 66, "#2c6b4f"),
    Plane((0.59, 0.475), 0.17, 0.022, -24, "#8d979a"),
    Plane((0.20, 0.25), 0.13, 0.065, 32, "#191718", 0.7),
    Plane((0.135, 0.325), 0.19, 0.013, 32, "#d9a520"),
    Plane((0.165, 0.385), 0.11, 0.011, 32, "#20438f"),
    Plane((0.655, 0.76), 0.055, 0.055, 20, "#20438f"),
    Plane((0.615, 0.845), 0.040, 0.040, 20, "#191718"),
    Plane((0.70, 0.69), 0.030, 0.030, 20, "#c5301f"),
    Plane((0.43, 0.905), 0.30, 0.019, 4, "#6f7f8c"),
)


def outline(plane: Plane, rng: np.random.Generator) -> Array:
    """Return the plane's corners, or its round, with a hand's unsteadiness: (K, 2)."""
    half, side = plane.length / 2, plane.width / 2
    if plane.disc:
        angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        corners = half * np.stack([np.cos(angle), np.sin(angle)], -1)
    else:
        far = side * plane.taper
        corners = np.array([(-half, -side), (half, -far), (half, far), (-half, side)])
    corners = corners + rng.normal(0, 0.0011, corners.shape)
    turn = np.radians(plane.turn)
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return (corners @ spin + plane.centre).astype(np.float32)


def ragged(mask: Array, rng: np.random.Generator) -> Array:
    """Shift a mask's edge by a pixel here and there, as a hand-drawn edge runs."""
    wobble = 1.3 * noise(rng, SIZE, (26, 33), 3)
    rows, columns = np.indices(mask.shape)
    rows = np.clip(rows + wobble, 0, mask.shape[0] - 1).astype(int)
    columns = np.clip(columns - wobble, 0, mask.shape[1] - 1).astype(int)
    return mask[rows, columns]


def ground(rng: np.random.Generator) -> Image.Image:
    """Brush the warm off-white ground, thinly and in all directions."""
    canvas = blank(SIZE, rgb("#e9e1cf"))
    tone = rgb("#ece4d3") + 0.022 * noise(rng, SIZE, (3, 4), 4)[..., None] * np.array([0.7, 1, 1.4])
    flow = 1.2 + 1.6 * noise(rng, SIZE, (3, 4), 2)
    brush = Brush(26, 130, 15, bristles=11, tint=0.006, streak=0.008, relief=0.22)
    paint(canvas, Guide(tone.astype(np.float32), flow), brush, rng)
    return canvas


def add_plane(canvas: Image.Image, plane: Plane, rng: np.random.Generator) -> None:
    """Brush one plane along its length and lay it on the canvas, in place."""
    mask = ragged(polygon(SIZE, outline(plane, rng)), rng)
    drift = 0.035 * noise(rng, SIZE, (4, 5), 3)
    tone = np.clip(rgb(plane.colour) * (1 + drift[..., None]) + 0.006, 0, 1).astype(np.float32)
    flow = np.radians(plane.turn) + 0.10 * noise(rng, SIZE, (3, 4), 3)
    near = (blur(mask, 8) > 0.01).astype(np.float32)
    layer = canvas.copy()
    brush = Brush(13, 95, 6.5, bristles=7, tint=0.012, streak=0.020, relief=0.8, tolerance=2)
    paint(layer, Guide(tone, flow.astype(np.float32), near), brush, rng)
    stencil = Image.fromarray((mask * 255).astype(np.uint8)).resize((SIZE[0] * SCALE, SIZE[1] * SCALE))
    canvas.paste(layer, mask=stencil)


def compose(rng: np.random.Generator) -> Image.Image:
    """Paint the composition."""
    canvas = ground(rng)
    for plane in PLANES:
        add_plane(canvas, plane, rng)
    return light(canvas, Finish(impasto=0.85, gloss=0.07, weave=0.022), rng)
