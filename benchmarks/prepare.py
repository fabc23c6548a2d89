"""Measure `artnet prepare` against a plain loop doing the same work, and against merely decoding.

    python benchmarks/prepare.py [COUNT]            rates, on COUNT (240) drawn JPEGs of two megapixels
    python benchmarks/prepare.py --memory           peak memory at 2,000 and at 20,000 small pictures

The pictures are drawn first, which is not counted. "Plain loop" is one process of Pillow that opens each picture, cuts
the same six views, encodes them alike and keeps the bytes. "Decoding" is two processes that decode and do nothing else.
All three run in turn, three times; the medians of the ratios are printed.
"""

from __future__ import annotations

import hashlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

STYLES = ("Cubism", "Impressionism", "Expressionism", "Realism", "Abstract Art")
VIEW_PX = 256
ROUNDS = 3


def draw(folder: Path, count: int, size: tuple[int, int]) -> list[Path]:
    """Fill folders named by style with painted noise of several scales, no two alike."""
    rng = np.random.default_rng(0)
    paths = []
    for index in range(count):
        path = folder / STYLES[index % len(STYLES)] / f"{index:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        layers = [
            Image.fromarray(rng.integers(0, 255, (side, side, 3), dtype=np.uint8)).resize(size) for side in (5, 23, 160)
        ]
        Image.blend(Image.blend(layers[0], layers[1], 0.4), layers[2], 0.2).save(path, quality=88)
        paths.append(path)
    return paths


def plain_loop(paths: Sequence[Path]) -> None:
    """Cut and encode the same views with Pillow alone, one picture after the other."""
    kept = []
    for path in paths:
        data = path.read_bytes()
        hashlib.sha256(data).hexdigest()
        with Image.open(BytesIO(data)) as opened:
            image = opened.convert("RGB")
        scale = VIEW_PX / max(image.size)
        small = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
        whole = Image.new("RGB", (VIEW_PX, VIEW_PX))
        whole.paste(small, ((VIEW_PX - small.width) // 2, (VIEW_PX - small.height) // 2))
        right, bottom = image.width - VIEW_PX, image.height - VIEW_PX
        corners = ((0, 0), (right, 0), (0, bottom), (right, bottom), (right // 2, bottom // 2))
        regions = [image.crop((x, y, x + VIEW_PX, y + VIEW_PX)) for x, y in corners]
        for view in (whole, *regions):
            buffer = BytesIO()
            view.save(buffer, "JPEG", quality=95, subsampling="4:4:4")
            kept.append(buffer.getvalue())


def decode(path: Path) -> int:
    """Decode one picture and do nothing with it."""
    with Image.open(path) as opened:
        opened.load()
        return opened.width


def artnet_prepare(folder: Path, out: Path) -> None:
    """Run the command as a user would."""
    command = [str(Path(sys.executable).with_name("artnet")), "prepare", str(folder), str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def timed(work: Callable[[], object]) -> float:
    """Give a piece of work's seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def rates(count: int) -> None:
    """Print how `prepare` compares with the loop and with decoding."""
    with tempfile.TemporaryDirectory() as scratch, ProcessPoolExecutor(2) as pool:
        paths = draw(Path(scratch) / "collection", count, (1600, 1250))
        list(pool.map(decode, paths[:8]))  # starts the processes
        rounds = []
        for number in range(ROUNDS):
            loop = timed(lambda: plain_loop(paths))
            decoding = timed(lambda: list(pool.map(decode, paths, chunksize=8)))
            ours = timed(lambda out=Path(scratch) / f"out{number}": artnet_prepare(Path(scratch) / "collection", out))
            rounds.append((loop, decoding, ours))
            print(f"plain loop {count / loop:.1f}/s  decoding {count / decoding:.1f}/s  prepare {count / ours:.1f}/s")
    print(f"prepare is {statistics.median(loop / ours for loop, _, ours in rounds):.2f} times the plain loop")
    print(f"and {statistics.median(decoding / ours for _, decoding, ours in rounds):.2f} of the rate of decoding")


def memory() -> None:
    """Print peak memory of the whole tree of processes, by the largest of its members, at two sizes."""
    peaks = []
    with tempfile.TemporaryDirectory() as scratch:
        for count in (2_000, 20_000):
            draw(Path(scratch) / str(count), count, (96, 80))
            artnet_prepare(Path(scratch) / str(count), Path(scratch) / f"out{count}")
            peaks.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
            print(f"{count} pictures: {peaks[-1]:.0f} MB")
    print(f"peak memory grows by {peaks[1] / peaks[0] - 1:.1%}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--memory"]:
        memory()
    else:
        rates(int(sys.argv[1]) if len(sys.argv) > 1 else 240)
