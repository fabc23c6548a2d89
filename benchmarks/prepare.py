"""Compare `artnet prepare` with a plain loop that does the same work, and with mere decoding.

    python benchmarks/prepare.py [COUNT] [--images FOLDER]
                                        rates, on COUNT (1,000) generated JPEGs of two megapixels, kept in FOLDER
    python benchmarks/prepare.py --memory
                                        peak memory for 2,000 and for 20,000 small images

The images are generated first, which is not counted: noise of four scales, the finest a grain that makes the files as
large as those of paintings (0.24 bytes a pixel). "Plain loop" is one process of Pillow that opens each image, extracts
the same six views, encodes them alike and keeps the bytes. "Decoding" is two processes that decode and do nothing else.
For `prepare` everything counts from the start of the command to its end; its start takes two to three seconds of
processor time, so measure on no fewer images than collections have. All three run in turn, three times; printed are the
medians of the ratios with the lowest and highest. Processor time is printed as well, since other work on the machine
affects it less: twice the loop's over prepare's is what two idle cores would reach. Memory is that of the command with
its workers, summed from /proc ten times a second, and that of the largest of these processes, on Linux only.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

STYLES = ("Cubism", "Impressionism", "Expressionism", "Realism", "Abstract Art")
VIEW_PX = 256
ROUNDS = 3


def generate(folder: Path, count: int, size: tuple[int, int]) -> list[Path]:
    """Write noise of several scales, no two images alike, to folders named by style, unless they exist."""
    paths = [folder / STYLES[index % len(STYLES)] / f"{index:06d}.jpg" for index in range(count)]
    for style in STYLES:
        (folder / style).mkdir(parents=True, exist_ok=True)
    missing = [path for path in paths if not path.exists()]
    with ProcessPoolExecutor() as pool:
        list(pool.map(generate_one, missing, [size] * len(missing), chunksize=8))
    return paths


def generate_one(path: Path, size: tuple[int, int]) -> None:
    """Write one image, which its number decides."""
    rng = np.random.default_rng(int(path.stem))
    layers = [
        Image.fromarray(rng.integers(0, 255, (side, side, 3), dtype=np.uint8)).resize(size)
        for side in (5, 23, 160, 640)
        if side < max(size)
    ]
    image = layers[0]
    for layer, share in zip(layers[1:], (0.4, 0.2, 0.14), strict=False):
        image = Image.blend(image, layer, share)
    unfinished = path.with_suffix(".part")
    image.save(unfinished, "JPEG", quality=88)
    unfinished.rename(path)


def plain_loop(paths: Sequence[Path]) -> None:
    """Extract and encode the same views with Pillow alone, one image after the other."""
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
    """Decode one image and do nothing with it."""
    with Image.open(path) as opened:
        opened.load()
        return opened.width


def artnet_prepare(folder: Path, out: Path) -> subprocess.Popen[bytes]:
    """Start the command as a user would."""
    command = [str(Path(sys.executable).with_name("artnet")), "prepare", str(folder), str(out)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for the command and exit if it failed."""
    if process.wait() != 0:
        raise SystemExit(f"artnet prepare ended with {process.returncode}")


def prepare_whole(folder: Path, out: Path) -> None:
    """Run the command."""
    finish(artnet_prepare(folder, out))


@dataclass(frozen=True)
class Cost:
    """Wall seconds, and processor seconds of this process and those that it waited for."""

    wall_s: float
    processor_s: float


def timed(work: Callable[[], object]) -> Cost:
    """Measure a piece of work."""
    started, before = time.perf_counter(), os.times()
    work()
    after = os.times()
    return Cost(time.perf_counter() - started, sum(after[:4]) - sum(before[:4]))


def decode_all(paths: Sequence[Path]) -> None:
    """Decode in two processes."""
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(decode, paths, chunksize=8))


def rates(count: int, images: Path | None) -> None:
    """Print how `prepare` compares with the loop and with decoding."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = (images or Path(scratch)) / f"{count}"
        paths = generate(folder, count, (1600, 1250))
        heavy = sum(path.stat().st_size for path in paths) / (1600 * 1250 * count)
        print(f"{count} images of 1600 x 1250 pixels, {heavy:.2f} bytes a pixel")
        rounds = []
        for number in range(ROUNDS):
            loop = timed(lambda: plain_loop(paths))
            decoding = timed(lambda: decode_all(paths))
            ours = timed(partial(prepare_whole, folder, Path(scratch) / f"out{number}"))
            rounds.append((loop, decoding, ours))
            for name, cost in zip(("plain loop", "decoding", "prepare"), rounds[-1], strict=True):
                milliseconds = 1e3 * cost.processor_s / count
                print(f"{name} {count / cost.wall_s:.1f}/s, {milliseconds:.1f} ms of a processor an image", end="; ")
            print()
    print_ratio("times the plain loop", [loop.wall_s / ours.wall_s for loop, _, ours in rounds])
    print_ratio("of the rate of decoding", [decoding.wall_s / ours.wall_s for _, decoding, ours in rounds])
    print_ratio(
        "times the loop by processor time", [2 * loop.processor_s / ours.processor_s for loop, _, ours in rounds]
    )
    print_ratio("of decoding by processor time", [each.processor_s / ours.processor_s for _, each, ours in rounds])


def print_ratio(what: str, ratios: Sequence[float]) -> None:
    """Print the median of some ratios, with the lowest and the highest."""
    print(f"prepare is {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) {what}")


def resident_mb(pid: int) -> list[float]:
    """Return the resident memory of a process and its descendants in MB; nothing for one that has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    own = [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:")]
    return own + [each for child in below for each in resident_mb(int(child))]


def peak_memory(process: subprocess.Popen[bytes]) -> tuple[float, float]:
    """Return the peak memory of all processes of a command together, and of the largest one."""
    together = largest = 0.0
    while process.poll() is None:
        found = resident_mb(process.pid)
        together, largest = max(together, sum(found)), max(largest, *found, 0.0)
        time.sleep(0.1)
    finish(process)
    return together, largest


def memory() -> None:
    """Print peak memory at two sizes of the collection."""
    peaks = []
    with tempfile.TemporaryDirectory() as scratch:
        for count in (2_000, 20_000):
            generate(Path(scratch) / str(count), count, (96, 80))
            started = time.perf_counter()
            peaks.append(peak_memory(artnet_prepare(Path(scratch) / str(count), Path(scratch) / f"out{count}")))
            seconds = time.perf_counter() - started
            print(f"{count} images: {peaks[-1][0]:.0f} MB together, {peaks[-1][1]:.0f} MB in one, {seconds:.0f} s")
    print(f"together {peaks[1][0] / peaks[0][0] - 1:+.1%}, the largest {peaks[1][1] / peaks[0][1] - 1:+.1%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=1000)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    if options.memory:
        memory()
    else:
        rates(options.count, options.images)
