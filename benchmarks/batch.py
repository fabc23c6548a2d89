"""Measure a collection side by side with its bare limits and with a plain loop, in one run.

    python benchmarks/batch.py [COUNT]

Draws COUNT pictures of a megapixel (1,000) as JPEG, and measures on them in turns, a quarter of them at a time:

- the first bare limit: those pictures decoded in full by all processors, nothing else
- the second: the engine on views that are ready, nothing else
- ours: `artnet classify FOLDER --out`, from the first name to the last row
- a plain loop: Pillow and the same network in PyTorch, eager, float32, one picture after the other

and on all of them ours, ours on Ray (this machine alone, once its workers answer) and ours again.

Both limits have all processors, and what decodes cannot compute: where decoding takes part of the time, nothing can
reach the lower of them. So it is also printed at what rate opening (decoding as finely as the view needs, and cutting
it) and the engine would go one after the other, each with all processors; and the processor time that each takes for a
picture, which a busy machine changes less than the rates.

Then memory: peak of a process over a tenth of, once and ten times COUNT names (links to those pictures). The last lines
say what the target was and what was reached.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from artnet.batch.job import table_schema, write_results
from artnet.batch.journal import open_journal
from artnet.batch.predict import ModelSpec, PredictOptions, Result, predict_items
from artnet.batch.table import table_row
from artnet.hardware import has_fast_bf16, inference_concurrency, processor_count
from artnet.imaging.decode import ImageFile, decode_image
from artnet.model.classifier import Classifier
from artnet.sources.find import find_items
from artnet.sources.item import SourceItem

WIDTH, HEIGHT = 1152, 896  # 1.03 megapixels
ROUNDS = 4
MEMORY = """
import sys
from pathlib import Path
from artnet.batch.predict import predict_items, ModelSpec
from artnet.hardware import inference_concurrency
from artnet.sources.find import find_items
from itertools import islice
pictures = islice(find_items(sys.argv[2:]), int(sys.argv[1]))
classifier = ModelSpec().load(concurrency=inference_concurrency())
count = sum(result.error is None for result in predict_items(classifier, pictures))
status = Path("/proc/self/status").read_text()  # getrusage would give the peak of what started this process
print(count, int(status.split("VmHWM:")[1].split()[0]) / 1024)
"""


def draw(folder: Path, count: int) -> None:
    """Draw pictures with large forms, brush strokes and the grain of a scan; about 2 bits a pixel."""

    def one(index: int) -> None:
        rng = np.random.default_rng(index)
        forms = Image.fromarray(rng.integers(0, 255, (7, 9, 3), dtype=np.uint8)).resize((WIDTH, HEIGHT), 3)
        strokes = Image.fromarray(rng.integers(96, 160, (HEIGHT // 6, WIDTH // 14, 3), dtype=np.uint8))
        pixels = np.asarray(forms, np.int16) + np.asarray(strokes.resize((WIDTH, HEIGHT), 3), np.int16) - 128
        pixels += rng.integers(-7, 8, (HEIGHT, WIDTH, 1), dtype=np.int16)
        drawn = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        drawn.save(folder / f"{index:05d}.jpg", quality=85)

    with ThreadPoolExecutor() as pool:
        list(pool.map(one, range(count)))


def decode(paths: list[Path]) -> None:
    """Decode pictures that are in memory on all processors, as the program decodes them."""
    data = [path.read_bytes() for path in paths]
    with timed("decode", len(paths)), ThreadPoolExecutor(processor_count()) as pool:
        list(pool.map(lambda each: decode_image(each, "picture").size, data))


def open_all(classifier: Classifier, paths: list[Path]) -> None:
    """Decode pictures that are in memory as finely as their views need, and cut these, on all processors."""
    data = [path.read_bytes() for path in paths]
    with timed("open", len(paths)), ThreadPoolExecutor(processor_count()) as pool:
        list(pool.map(lambda each: classifier.open(ImageFile(each, "picture")).size, data))


def compute(classifier: Classifier, paths: list[Path]) -> None:
    """Run the network on ready views, from twice as many threads as there are processors."""
    views = [classifier.open(decode_image(path.read_bytes(), "picture")).views for path in paths]
    with timed("engine", len(paths)), ThreadPoolExecutor(2 * processor_count()) as pool:
        list(pool.map(classifier.infer, views))


def ours(paths: list[Path], answer: Callable[[Iterable[SourceItem]], Iterator[Result]], out: Path) -> float:
    """Write a table of pictures and give the rate, from the first name to the last row."""
    with (
        timed("ours", len(paths)) as watch,
        open_journal(out, SCHEMA, {"benchmark": True}, "overwrite") as journal,
    ):
        for each in answer(find_items([str(path) for path in paths])):
            journal.append(table_row(each, SCHEMA))
        write_results(journal)
    return len(paths) / watch.seconds


class Plain:
    """The loop that one would write first."""

    def __init__(self, backbone: str, size_px: int) -> None:
        import timm
        import torch

        torch.set_num_threads(processor_count())
        self.torch, self.size_px = torch, size_px
        self.network = timm.create_model(backbone, num_classes=5, pretrained=False).eval()  # weights cost no time

    def run(self, paths: list[Path]) -> None:
        """Classify pictures one after the other."""
        torch = self.torch
        with timed("plain", len(paths)), torch.inference_mode():
            for path in paths:
                with Image.open(path) as image:
                    view = image.convert("RGB").resize((self.size_px, self.size_px), Image.Resampling.BICUBIC)
                pixels = torch.from_numpy(np.array(view)).permute(2, 0, 1).float().div(255).sub(0.5).div(0.5)
                self.network(pixels[None]).softmax(1)


TIMES: dict[str, list[timed]] = {name: [] for name in ("decode", "open", "engine", "ours", "plain")}
SCHEMA = table_schema(Classifier.load().config, PredictOptions())


class timed:  # noqa: N801
    """Add what the block took to the times of a contender."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.count = name, count

    def __enter__(self) -> timed:
        self.started, self.worked = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds, self.work_s = time.perf_counter() - self.started, time.process_time() - self.worked
        TIMES[self.name].append(self)


def rate(name: str) -> float:
    """Return how many images a second a contender computes over all rounds."""
    return sum(each.count for each in TIMES[name]) / sum(each.seconds for each in TIMES[name])


def work_ms(name: str) -> float:
    """Return the processor time that a contender takes for a picture, in milliseconds, on all processors together."""
    return 1e3 * sum(each.work_s for each in TIMES[name]) / sum(each.count for each in TIMES[name])


def compare(classifier: Classifier, paths: list[Path], scratch: Path) -> None:
    """Run the contenders in turn, another first in each round."""
    plain = Plain(classifier.config.backbone, classifier.config.preprocessing.size_px)
    contenders: list[Callable[[list[Path]], object]] = [
        decode,
        lambda some: open_all(classifier, some),
        lambda some: compute(classifier, some),
        lambda some: ours(some, lambda pictures: predict_items(classifier, pictures), scratch / "t.csv"),
        plain.run,
    ]
    for contender in contenders:  # caches, threads
        contender(paths[:16])
    for times in TIMES.values():
        times.clear()
    for turn in range(ROUNDS):
        some = paths[turn::ROUNDS]
        for contender in contenders[turn:] + contenders[:turn]:
            contender(some)


def ray_overhead(classifier: Classifier, paths: list[Path], scratch: Path) -> float:
    """Compare ours with ours on Ray: what three times as many pictures more take, so that starting does not count."""
    from artnet.batch.ray_executor import predict_on_ray

    def on_ray(some: list[Path]) -> float:
        started = time.perf_counter()
        ours(some, lambda each: predict_on_ray(each, ModelSpec(), PredictOptions()), scratch / "r.csv")
        return time.perf_counter() - started

    def here() -> float:
        return ours(paths, lambda pictures: predict_items(classifier, pictures), scratch / "h.csv")

    rates = [here()]
    few_s = on_ray(paths)
    same = (scratch / "h.csv").read_bytes() == (scratch / "r.csv").read_bytes()
    rates.append(here())
    there = 3 * len(paths) / (on_ray(paths * 4) - few_s)
    rates.append(here())
    local = len(rates) / sum(1 / rate for rate in rates)
    print(f"ours on Ray         {there:8.1f} pictures/s, ours in the same minutes {local:.1f}")
    print(f"                    {few_s - len(paths) / there:8.1f} s to start and end a cluster on this machine")
    print(f"                             the tables are {'equal' if same else 'NOT equal'}")
    return local / there - 1


def memory(folder: Path, scratch: Path, count: int) -> list[tuple[int, float]]:
    """Return peak memory in MB over a tenth of, once and ten times as many names as there are pictures."""
    links = scratch / "links"
    links.mkdir()
    originals = sorted(folder.iterdir())
    for index in range(10 * count):
        os.link(originals[index % count], links / f"{index:06d}.jpg")
    found = []
    for some in (count // 10, count, 10 * count):
        command = [sys.executable, "-c", MEMORY, str(some), str(links)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        found.append((int(printed[0]), float(printed[1])))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=1000)
    parser.add_argument("--without-ray", action="store_true")
    parser.add_argument("--without-memory", action="store_true")
    options = parser.parse_args()
    processor = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    bits = "bf16" if has_fast_bf16() else "f32"
    print(
        f"{processor_count()} processors of {processor}, engine in {bits}, load {os.getloadavg()[0]:.1f} at the start"
    )
    with tempfile.TemporaryDirectory() as name:
        scratch, folder = Path(name), Path(name, "pictures")
        folder.mkdir()
        draw(folder, options.count)
        size = sum(path.stat().st_size for path in folder.iterdir()) / options.count
        density = size * 8 / WIDTH / HEIGHT
        print(f"{options.count} pictures of {WIDTH} x {HEIGHT}, {size / 1024:.0f} kB each, {density:.1f} bit a pixel")
        classifier, paths = ModelSpec().load(concurrency=inference_concurrency()), sorted(folder.iterdir())
        compare(classifier, paths, scratch)
        reached = report()
        if not options.without_ray:
            reached.append(("Ray's overhead on one machine", ray_overhead(classifier, paths, scratch), "at most 0.25"))
        if not options.without_memory:
            peaks = memory(folder, scratch, options.count)
            for some, peak in peaks:
                print(f"memory at {some:9} {peak:8.0f} MB")
            share = peaks[2][1] / peaks[1][1]
            reached.append((f"memory at {peaks[2][0]} to that at {peaks[1][0]}", share, "at most 1.10"))
    print()
    for what, value, target in reached:
        print(f"{what:45} {value:6.2f}, target {target}")


def report() -> list[tuple[str, float, str]]:
    """Print rates, and return their ratios with their targets."""
    lower = min(rate("decode"), rate("engine"))
    work = 1 / sum(1 / rate(name) for name in ("open", "engine"))
    words = {
        "decode": "decoding alone",
        "open": "opening alone",
        "engine": "engine alone",
        "ours": "ours",
        "plain": "Pillow and PyTorch",
    }
    for name, word in words.items():
        print(f"{word:19} {rate(name):8.1f} pictures/s {work_ms(name):8.1f} ms of processor time each")
    print(f"one after the other {work:8.1f} pictures/s: opening and the engine, if nothing else cost time")
    return [
        ("ours to the lower bare limit", rate("ours") / lower, "at least 0.85"),
        ("ours to one after the other", rate("ours") / work, "near 1: nothing waits"),
        ("ours to Pillow and PyTorch", rate("ours") / rate("plain"), "at least 4"),
    ]


if __name__ == "__main__":
    main()
