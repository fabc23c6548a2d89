"""Paint the example images: `python examples/paint.py [--out FOLDER] [NAMES...]`."""

import argparse
import io
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import atelier
import expressive
import faceted
import numpy as np
import pointillist
import suprematist
from PIL import Image


@dataclass(frozen=True)
class Picture:
    """What paints a picture, and the seed that it was chosen with, among several."""

    compose: Callable[[np.random.Generator], Image.Image]
    seed: int = 7


PICTURES = {
    "suprematist": Picture(suprematist.compose),
    "pointillist": Picture(pointillist.compose),
    "faceted": Picture(faceted.compose, seed=3),
    "expressive": Picture(expressive.compose),
    "atelier": Picture(atelier.compose),
}
# A page with all five should load at once on a telephone.
LIMIT_BYTES = 200_000


def encode(picture: Image.Image) -> bytes:
    """Return a JPEG of quality 90, or of the best lower quality that keeps under the limit."""
    for quality in range(90, 40, -1):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
        if buffer.tell() < LIMIT_BYTES:
            break
    return buffer.getvalue()


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Paint the example pictures.")
    parser.add_argument("names", nargs="*", metavar="NAMES", help=f"of {', '.join(PICTURES)}; all by default")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, metavar="FOLDER")
    parser.add_argument("--seed", type=int, help="another seed than each picture's own")
    options = parser.parse_args(words)
    unknown = [name for name in options.names if name not in PICTURES]
    if unknown:
        parser.error(f"no picture is called {', '.join(unknown)}; there are {', '.join(PICTURES)}")
    return options


def main(words: list[str]) -> None:
    """Paint the named images and write one JPEG each."""
    options = parse(words)
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or PICTURES:
        started_s = time.perf_counter()
        seed = PICTURES[name].seed if options.seed is None else options.seed
        picture = PICTURES[name].compose(np.random.default_rng(seed))
        data = encode(picture)
        (options.out / f"{name}.jpg").write_bytes(data)
        took_s = time.perf_counter() - started_s
        print(f"{name}.jpg {picture.width}x{picture.height} {len(data) // 1000} kB in {took_s:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
