"""Paint a lit still life: jug, pear, apples, orange, lemon and grapes before a dark wall."""

from dataclasses import replace

import numpy as np
from brush import Brush, Finish, Guide, blank, light, paint
from fields import Array, blur, contour_flow, detail, lay, noise, ramp, rgb, smoothstep
from forms import Thing, apple, ball, bounded, bunch, jug, nearest, pear
from PIL import Image

SIZE = (1000, 780)
DRAFT = (600, 468)  # the light is traced at this size: the brush hides the difference
EYE = np.array([0.0, 1.62, 5.5], np.float32)
AIM = np.array([0.03, 0.52, 0.0], np.float32)
LAMP = np.array([-3.4, 3.9, 2.6], np.float32)
EDGE = 1.22  # z of the table's front edge

GLAZE = ((-0.6, "#3f5f78"), (0.0, "#6f93a6"), (0.5, "#a3bcc0"))
RED = ((-0.6, "#7f1414"), (0.0, "#b3261c"), (0.45, "#d8712c"), (0.8, "#dcae48"))
YELLOW = ((-0.6, "#b0491f"), (-0.1, "#d0a02f"), (0.5, "#b9b043"))
PEAR = ((-0.6, "#9a6a24"), (0.0, "#b9a23f"), (0.5, "#a3a748"))
ORANGE = ((-0.6, "#c8590f"), (0.5, "#ea8420"))
LEMON = ((-0.6, "#d8a916"), (0.5, "#efcf3a"))
GRAPE = ((-0.6, "#2a1230"), (0.2, "#5a2348"), (0.6, "#6f4668"))


def arrangement() -> list[Thing]:
    """Return all things on the table."""
    return [
        Thing((-0.42, 0, -0.45), bounded(jug, 0.66, 0.92), GLAZE, 0.55),
        Thing((0.56, 0, -0.28), bounded(pear, 0.47, 0.53), PEAR, 0.2),
        Thing((0.12, 0, 0.12), bounded(apple(0.33), 0.28, 0.42), RED, 0.35),
        Thing((-0.58, 0, 0.42), bounded(ball(0.27), 0.27, 0.28), ORANGE, 0.22),
        Thing((1.16, 0, -0.25), bounded(apple(0.30), 0.25, 0.40), YELLOW, 0.3),
        Thing((-1.12, 0, 0.12), bounded(ball(0.21, (1.35, 1, 1)), 0.21, 0.30), LEMON, 0.22),
        Thing((0.84, 0, 0.50), bounded(bunch, 0.15, 0.56), GRAPE, 0.5),
    ]


def rays() -> Array:
    """Return the directions, of unit length, from the eye through each pixel of the draft: (H, W, 3)."""
    ahead = (AIM - EYE) / np.linalg.norm(AIM - EYE)
    right = np.cross(ahead, [0, 1, 0])
    right /= np.linalg.norm(right)
    rows, columns = np.mgrid[0 : DRAFT[1], 0 : DRAFT[0]]
    u, v = (columns + 0.5) / DRAFT[1] - DRAFT[0] / DRAFT[1] / 2, 0.5 - (rows + 0.5) / DRAFT[1]
    way = ahead + 0.44 * (u[..., None] * right + v[..., None] * np.cross(right, ahead))
    return (way / np.linalg.norm(way, axis=-1, keepdims=True)).astype(np.float32)


def march(things: list[Thing], way: Array, limit: Array) -> tuple[Array, np.ndarray]:
    """Step along rays (N, 3) from the eye; return depths, and which thing was met or -1."""
    depth, met = np.full(len(way), 3.4, np.float32), np.full(len(way), -1, np.int16)
    active = np.arange(len(way))
    for _ in range(56):
        distance, which = nearest(things, EYE + way[active] * depth[active, None])
        depth[active] += distance
        arrived = distance < 0.0015
        met[active[arrived]] = which[arrived]
        active = active[~arrived & (depth[active] < limit[active])]
        if not len(active):
            break
    return depth, met


def shadow(things: list[Thing], points: Array) -> Array:
    """Return how much of the lamp each point sees; near misses give the soft edge."""
    way = LAMP - points
    way /= np.linalg.norm(way, axis=-1, keepdims=True)
    seen, depth = np.ones(len(points), np.float32), np.full(len(points), 0.03, np.float32)
    for _ in range(26):
        distance, _ = nearest(things, points + way * depth[:, None])
        seen = np.minimum(seen, np.clip(0.5 + 4.5 * distance / depth, 0, 1))
        depth += np.clip(distance, 0.025, 0.25)
    return seen * seen * (3 - 2 * seen)


def normals(things: list[Thing], points: Array) -> Array:
    """Return the outward directions of the surfaces at points (N, 3)."""
    step = np.float32(0.004)
    axes = np.eye(3, dtype=np.float32) * step
    slope = np.stack([nearest(things, points + a)[0] - nearest(things, points - a)[0] for a in axes], -1)
    return slope / (np.linalg.norm(slope, axis=-1, keepdims=True) + 1e-6)


def skin(things: list[Thing], points: Array, met: np.ndarray, rng: np.random.Generator) -> Array:
    """Return the things' own colours: streaks from pole to pole, and blotches."""
    colour = np.zeros_like(points)
    for number, thing in enumerate(things):
        here = met == number
        near = points[here] - np.array(thing.foot, np.float32)
        turn = np.arctan2(near[:, 2], near[:, 0])
        phase = rng.uniform(0, 6, 3)
        streak = 0.3 * np.sin(9 * turn + phase[0] + 3 * near[:, 1]) + 0.2 * np.sin(23 * turn + phase[1])
        value = 0.45 * np.sin(1.0 * turn + phase[2]) + 0.5 * streak + rng.normal(0, 0.06)
        colour[here] = ramp(value, thing.tones)
    return colour


def lit(colour: Array, normal: Array, points: Array, seen: Array, gloss: Array) -> Array:
    """Return the colour under lamp, dim sky and light thrown back by the table."""
    to_lamp = LAMP - points
    to_lamp /= np.linalg.norm(to_lamp, axis=-1, keepdims=True)
    to_eye = EYE - points
    to_eye /= np.linalg.norm(to_eye, axis=-1, keepdims=True)
    direct = np.clip((normal * to_lamp).sum(-1) * 0.93 + 0.07, 0, 1) * seen
    sky = (0.5 + 0.5 * normal[:, 1])[:, None] * np.array([0.10, 0.115, 0.14])
    bounce = (np.clip(-normal[:, 1] * 0.7 + 0.4, 0, 1) * np.exp(-2.2 * points[:, 1]))[:, None] * np.array(
        [0.24, 0.165, 0.10]
    )
    half = to_lamp + to_eye
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    shine = (gloss * seen * np.clip((normal * half).sum(-1), 0, 1) ** 48)[:, None] * np.array([1, 0.95, 0.85])
    warm = direct[:, None] * np.array([1.32, 1.20, 1.0])
    return (colour * (warm + sky + bounce) + shine).astype(np.float32)


def wood(points: Array) -> Array:
    """Return the table's colour: planks with a long grain."""
    grain = np.sin(
        points[:, 2] * 46 + 2.2 * np.sin(points[:, 0] * 1.7) + 1.3 * np.sin(points[:, 0] * 5 + points[:, 2] * 9)
    )
    joint = np.exp(-(((points[:, 2] + 2.0) % 0.62 - 0.31) ** 2) / 0.00006)
    tone = ramp(grain * 0.5, ((-0.6, "#5a3820"), (0.0, "#75492a"), (0.6, "#855a34"))) * (1 - 0.65 * joint[:, None])
    return lay(tone, cloth(points), rgb("#d9cdb4") * 0.92)


def cloth(points: Array) -> Array:
    """Return where the linen lies, on the table and over its edge."""
    x, drop = points[:, 0] + 0.02 * np.sin(7 * points[:, 2]), np.clip(-points[:, 1], 0, None)
    left, right = x - (-0.08 - 0.30 * (points[:, 2] - EDGE)), (1.42 + 0.05 * np.sin(9 * points[:, 2])) - x
    hem = 0.27 + 0.13 * np.clip(1 - np.abs(x - 0.62), 0, 1) + 0.015 * np.sin(17 * x) - drop
    back = points[:, 2] - 0.02 * np.sin(11 * x) + 0.42
    return smoothstep(0, 0.012, np.minimum(np.minimum(left, right), np.minimum(hem, back)))


def folds(points: Array) -> Array:
    """Return the outward directions of linen, creased where it lies and folded where it hangs."""
    x, y, z = points.T
    hang = np.clip(-y * 6, 0, 1)
    tilt = 0.22 * np.sin(5 * x + 3.1 * z + 1.5 * np.sin(2.3 * z)) + 0.10 * np.sin(11 * x - 7 * z)
    fold = 0.40 * np.sin(17 * x + 1.8 * np.sin(4 * x) - 1.2 * y) + 0.15 * np.sin(39 * x + 3 * y)
    face = np.where((y < -1e-3)[:, None], [[-0.12, 0.3, 1]], [[0, 1, 0]])
    face = face + np.stack([tilt * (1 - hang) + fold * hang, 0 * x, 0.6 * tilt * (1 - hang)], -1)
    return (face / np.linalg.norm(face, axis=-1, keepdims=True)).astype(np.float32)


def front(way: Array) -> Array:
    """Return the colours (N, 3) of the table's front, with the linen that hangs over it."""
    points = EYE + way * ((EDGE - EYE[2]) / way[:, 2])[:, None]
    linen = cloth(points)
    normal = folds(points)
    plank = np.broadcast_to(rgb("#3a2416"), points.shape) * (1 + 0.1 * np.sin(points[:, 1:2] * 90))
    shade = np.clip(1 - 0.8 * cloth([*points, 0.03, 0.05, 0]) * (1 - linen), 0, 1)
    colour = lay(plank, linen, rgb("#d9cdb4") * 0.92)
    return lit(colour, normal, points, 0.62 * shade, np.zeros(len(points)))


def model(rng: np.random.Generator) -> Array:
    """Return the whole modelled scene (H, W, 3), as light would draw it."""
    things, way = arrangement(), rays().reshape(-1, 3)
    to_table = np.where(way[:, 1] < -1e-3, -EYE[1] / np.minimum(way[:, 1], -1e-3), 99).astype(np.float32)
    on_table = EYE[2] + way[:, 2] * to_table < EDGE
    limit = np.where(on_table, np.minimum(to_table, 9), 9).astype(np.float32)
    depth, met = march(things, way, limit)
    picture = wall(rng).reshape(-1, 3)
    table = (met < 0) & on_table & (to_table < 8.2)
    points = EYE + way[table] * to_table[table, None]
    linen = cloth(points)[:, None]
    up = folds(points) * linen + np.array([0, 1, 0], np.float32) * (1 - linen)
    touch = np.clip(nearest(things, points)[0] / 0.16, 0, 1)[:, None]
    seen = shadow(things, points + np.array([0, 0.004, 0], np.float32))
    flat = lit(wood(points), up, points, seen, np.full(len(points), 0.03)) * (0.6 + 0.4 * touch)
    fade = smoothstep(7.9, 6.2, to_table[table])[:, None]
    picture[table] = picture[table] * (1 - fade) + flat * fade
    edge = ~on_table & (met < 0) & (way[:, 1] < 0)
    picture[edge] = front(way[edge])
    solid = met >= 0
    points = EYE + way[solid] * depth[solid, None]
    normal = normals(things, points)
    gloss = np.array([thing.gloss for thing in things])[met[solid]]
    seen = shadow(things, points + 0.02 * normal)
    picture[solid] = lit(skin(things, points, met[solid], rng), normal, points, seen, gloss)
    return picture.reshape(DRAFT[1], DRAFT[0], 3)


def wall(rng: np.random.Generator) -> Array:
    """Return the dark wall, with the lamp's last glow on its left."""
    rows, columns = np.mgrid[0 : DRAFT[1], 0 : DRAFT[0]].astype(np.float32) / DRAFT[1]
    glow = np.exp(-(((columns - 0.95) / 0.55) ** 2) - ((rows - 0.30) / 0.42) ** 2)
    tone = 0.15 + 0.85 * glow + 0.12 * noise(rng, DRAFT, (5, 4), 4)
    return ramp(tone, ((0.0, "#0d0b0a"), (0.4, "#241b14"), (1.0, "#5a4630")))


def enlarge(picture: Array) -> Array:
    """Bring the draft to the picture's size, channel by channel."""
    sheets = (Image.fromarray(np.ascontiguousarray(picture[..., c])) for c in range(3))
    return np.stack([np.asarray(s.resize(SIZE, Image.Resampling.BICUBIC)) for s in sheets], -1)


def compose(rng: np.random.Generator) -> Image.Image:
    """Paint the still life, broad strokes first and hardly seen ones last."""
    reference = model(rng)
    reference = enlarge(reference / (1 + 0.22 * reference**2))
    # The draft's stairs would show at every outline.
    reference = np.clip(blur(reference, 1.3), 0.015, 0.99)
    broad, fine = contour_flow(reference.mean(-1), 10), contour_flow(reference.mean(-1), 4)
    canvas = blank(SIZE, rgb("#1c1410"))
    wide, near = Guide(blur(reference, 2), broad), Guide(reference, fine)
    busy = Guide(reference, fine, detail(reference))
    quiet = Brush(16, 60, 8, bristles=9, tint=0.006, streak=0.010, relief=0.35, tolerance=0.12)
    paint(canvas, wide, quiet, rng)
    paint(canvas, near, replace(quiet, width_px=6, length_px=26, spacing_px=4, bristles=5, tolerance=0.06), rng)
    paint(canvas, busy, replace(quiet, width_px=3, length_px=10, spacing_px=2, bristles=3, tolerance=0.05), rng)
    return light(canvas, Finish(impasto=0.5, gloss=0.03, weave=0.013), rng)
