"""Paint four classes of simple pictures, to try `artnet teach` without pictures of your own.

    python examples/shapes.py FOLDER

FOLDER/mine then holds a folder for each class with eight pictures, and FOLDER/new pictures that are not for teaching:
two more of each class, and two each of rings and of grids, which are in none of the classes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 160, 120
Painter = Callable[[np.random.Generator, ImageDraw.ImageDraw], None]


def blocks(rng: np.random.Generator, draw: ImageDraw.ImageDraw) -> None:
    """Paint six rectangles."""
    for x, y in rng.uniform(0, 110, (6, 2)):
        draw.rectangle((x, y, x + 40, y + 30), fill=colour(rng))


def dots(rng: np.random.Generator, draw: ImageDraw.ImageDraw) -> None:
    """Paint three hundred dots."""
    for x, y in rng.uniform(0, WIDTH, (300, 2)):
        draw.ellipse((x, y, x + 5, y + 5), fill=colour(rng))


def lines(rng: np.random.Generator, draw: ImageDraw.ImageDraw) -> None:
    """Paint thirty thin lines in any direction."""
    for x, y, end_x, end_y in rng.uniform(0, WIDTH, (30, 4)):
        draw.line((x, y, end_x, end_y), fill=colour(rng), width=1)


def stripes(rng: np.random.Generator, draw: ImageDraw.ImageDraw) -> None:
    """Paint upright stripes at even distances."""
    for x in range(0, WIDTH, int(rng.integers(8, 24))):
        draw.rectangle((x, 0, x + 4, HEIGHT), fill=colour(rng))


def rings(rng: np.random.Generator, draw: ImageDraw.ImageDraw) -> None:
    """Paint five circles, not filled."""
    for x, y in rng.uniform(0, 100, (5, 2)):
        draw.ellipse((x, y, x + 50, y + 50), outline=colour(rng), width=5)


def grids(rng: np.random.Generator, draw: ImageDraw.ImageDraw) -> None:
    """Paint thin upright and level lines at even distances."""
    distance, fill = int(rng.integers(8, 24)), colour(rng)
    for place in range(0, WIDTH, distance):
        draw.line((place, 0, place, HEIGHT), fill=fill)
        draw.line((0, place, WIDTH, place), fill=fill)


def colour(rng: np.random.Generator) -> tuple[int, int, int]:
    """Return any colour."""
    red, green, blue = rng.integers(0, 255, 3).tolist()
    return red, green, blue


def paint(painter: Painter, seed: int, path: Path) -> None:
    """Paint a picture on a ground of any colour."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (WIDTH, HEIGHT), colour(rng))
    painter(rng, ImageDraw.Draw(image))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def main(folder: Path) -> None:
    """Paint what is to be taught, and what is new."""
    classes = (blocks, dots, lines, stripes)
    for painter in classes:
        for seed in range(1, 9):
            paint(painter, seed, folder / "mine" / painter.__name__.capitalize() / f"{seed}.png")
    for painter in (*classes, rings, grids):
        for seed in (11, 12):
            paint(painter, seed, folder / "new" / f"{painter.__name__}-{seed}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
