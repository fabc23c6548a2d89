"""Measure how memory grows with the number of pictures in a folder, and how many are answered a second.

    python benchmarks/folder.py [COUNT]

Draws COUNT small pictures (200), classifies the first tenth and then all of them in processes of their own, and
prints peak memory and rate of both.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

SCRIPT = """
import resource, sys
from artnet.batch.predict import classify_sources
from artnet.model.classifier import Classifier
count = sum(answer.error is None for answer in classify_sources(Classifier.load(), sys.argv[1:]))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def draw(folder: Path, count: int) -> None:
    """Fill a folder with pictures of 800 x 600 pixels, no two alike."""
    rng = np.random.default_rng(0)
    for index in range(count):
        coarse = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((800, 600), Image.Resampling.BICUBIC).save(folder / f"{index:05d}.jpg")


def measure(sources: list[str]) -> tuple[int, float, float]:
    """Classify sources in a process of their own: pictures answered, peak memory in MB, pictures a second."""
    started = time.perf_counter()
    command = [sys.executable, "-c", SCRIPT, *sources]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(printed[0]), float(printed[1]), int(printed[0]) / (time.perf_counter() - started)


def main() -> None:
    """Compare a tenth of the folder with the whole of it."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as scratch:
        draw(Path(scratch), count)
        names = sorted(str(path) for path in Path(scratch).iterdir())
        few, few_mb, _ = measure(names[: count // 10])
        many, many_mb, rate = measure([scratch])
    print(f"{few} pictures: {few_mb:.0f} MB; {many} pictures: {many_mb:.0f} MB, {rate:.1f} pictures/s with start-up")
    print(f"memory at {many} pictures is {many_mb / few_mb:.3f} of that at {few}")


if __name__ == "__main__":
    main()
