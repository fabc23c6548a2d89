"""Measure a collection side by side with its bare limits, with Ray and with a plain loop, in one run.

    python benchmarks/batch.py [COUNT]

Draws COUNT pictures of a megapixel (1,000) as JPEG, and measures on them in turns, a quarter of them at a time:

- the first bare limit: those pictures decoded in full by all processors, nothing else
- opening: decoded as finely as the view needs, and cut, by all processors
- the second limit: the engine on views that are ready, nothing else
- threads: what classifies a small job, in this process, from the first name to the last row
- a plain loop: Pillow and the same network in PyTorch, eager, float32, one picture after the other

Then, in turns as well, on four times their names: opening and the engine, one after the other and each with all
processors; ours with its worker processes; and ours on Ray (this machine alone). Of the last two the first quarter does
not count, in which their workers start. What decodes cannot compute, so where nothing waits, ours goes as fast as one
after the other. The processor time that each takes for a picture is printed, too, which a busy machine changes less
than the rates; ours has that of starting its workers in it, and Ray's is not known.

Then what ten pictures take, as a command; and memory: the peaks of a process and its workers together over a tenth of,
once and ten times COUNT names (links to those pictures). The last lines say what the target was and what was reached.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
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
from artnet.batch.local_executor import LocalPredictor
from artnet.batch.predict import ModelSpec, PredictOptions, Result, predict_items
from artnet.batch.table import table_row
from artnet.hardware import has_fast_bf16, inference_concurrency, processor_count
from artnet.imaging.decode import ImageFile, decode_image
from artnet.model.classifier import Classifier
from artnet.sources.find import find_items
from artnet.sources.item import DEFAULT_RULES, SourceItem

WIDTH, HEIGHT = 1152, 896  # 1.03 megapixels
ROUNDS = 4
TURNS = 3
MEMORY = """
import sys
from itertools import islice
from multiprocessing import active_children
from pathlib import Path
from artnet.batch.local_executor import LocalPredictor
from artnet.batch.predict import ModelSpec, PredictOptions
from artnet.sources.find import find_items
from artnet.sources.item import DEFAULT_RULES
peaks = {}
def look():
    for pid in ("self", *(each.pid for each in active_children())):
        status = Path(f"/proc/{pid}/status").read_text()  # getrusage would give the peak of what started this process
        peaks[pid] = int(status.split("VmHWM:")[1].split()[0]) / 1024
predict = LocalPredictor(ModelSpec(), PredictOptions(), DEFAULT_RULES)
count = 0
for result in predict(islice(find_items(sys.argv[2:]), int(sys.argv[1]))):
    count += result.error is None
    if count % 50 == 0:
        look()
look()
print(count, sum(peaks.values()), peaks["self"])
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


def open_all(classifier: Classifier, paths: list[Path], name: str = "open") -> None:
    """Decode pictures that are in memory as finely as their views need, and cut these, on all processors."""
    data = [path.read_bytes() for path in paths]
    with timed(name, len(paths)), ThreadPoolExecutor(processor_count()) as pool:
        list(pool.map(lambda each: classifier.open(ImageFile(each, "picture")).size, data))


def compute(classifier: Classifier, paths: list[Path], name: str = "engine") -> None:
    """Run the network on ready views, from twice as many threads as there are processors."""
    views = [classifier.open(decode_image(path.read_bytes(), "picture")).views for path in paths]
    with timed(name, len(paths)), ThreadPoolExecutor(2 * processor_count()) as pool:
        list(pool.map(classifier.infer, views))


def threads(classifier: Classifier, paths: list[Path], out: Path) -> None:
    """Write a table of pictures by the threads of this process."""
    with (
        timed("threads", len(paths)),
        open_journal(out, SCHEMA, {"benchmark": True}, "overwrite") as journal,
    ):
        for each in predict_items(classifier, find_items([str(path) for path in paths])):
            journal.append(table_row(each, SCHEMA))
        write_results(journal)


def executor(
    name: str, paths: list[Path], predict: Callable[[Iterable[SourceItem]], Iterator[Result]], out: Path
) -> None:
    """Write a table of four times as many names, of which the first quarter does not count."""
    names = [str(path) for path in paths * 4]
    with open_journal(out, SCHEMA, {"benchmark": True}, "overwrite") as journal:
        work = timed(name, len(names))
        with work:
            for count, each in enumerate(predict(find_items(names))):
                if count == len(paths):
                    begun = time.perf_counter()
                journal.append(table_row(each, SCHEMA))
        work.seconds = (time.perf_counter() - begun) * 4 / 3
        write_results(journal)


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


CONTENDERS = {
    "decode": "decoding alone",
    "open": "opening alone",
    "engine": "engine alone",
    "threads": "ours, threads",
    "plain": "Pillow and PyTorch",
    "opening": "opening, in turn",
    "network": "engine, in turn",
    "local": "ours, workers",
    "ray": "ours on Ray",
}
TIMES: dict[str, list[timed]] = {name: [] for name in CONTENDERS}
SCHEMA = table_schema(Classifier.load().config, PredictOptions())


class timed:  # noqa: N801
    """Add what the block took to the times of a contender."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.count = name, count

    def __enter__(self) -> timed:
        self.started, self.worked = time.perf_counter(), sum(os.times()[:4])  # with that of children that have ended
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds, self.work_s = time.perf_counter() - self.started, sum(os.times()[:4]) - self.worked
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
        lambda some: threads(classifier, some, scratch / "t.csv"),
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


def compare_executors(classifier: Classifier, paths: list[Path], scratch: Path, on_ray: bool) -> None:
    """Run opening and the engine, ours and ours on Ray in turn."""
    local = LocalPredictor(ModelSpec(), PredictOptions(), DEFAULT_RULES)
    for turn in range(TURNS):
        open_all(classifier, paths, "opening")
        compute(classifier, paths, "network")
        executor("local", paths, local, scratch / "h.csv")
        if on_ray:
            from artnet.batch.ray_executor import predict_on_ray

            executor("ray", paths, lambda each: predict_on_ray(each, ModelSpec(), PredictOptions()), scratch / "r.csv")
            same = (scratch / "h.csv").read_bytes() == (scratch / "r.csv").read_bytes()
            print(
                f"turn {turn + 1}: ours to Ray {TIMES['ray'][-1].seconds / TIMES['local'][-1].seconds:.2f}, "
                f"the tables are {'equal' if same else 'NOT equal'}"
            )


def few(folder: Path, scratch: Path) -> float:
    """Return what the command takes for ten pictures, from the shell to the table: the median of five, in seconds."""
    ten, seconds = [str(path) for path in sorted(folder.iterdir())[:10]], []
    for _ in range(5):
        begun = time.perf_counter()
        command = [sys.executable, "-m", "artnet", "classify", *ten, "--out", str(scratch / "ten.csv"), "--overwrite"]
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def memory(folder: Path, scratch: Path, count: int) -> list[tuple[int, float, float]]:
    """Return peak memory in MB, in all and of the first process, over a tenth of, once and ten times as many names."""
    links = scratch / "links"
    links.mkdir()
    originals = sorted(folder.iterdir())
    for index in range(10 * count):
        os.link(originals[index % count], links / f"{index:06d}.jpg")
    found = []
    for some in (count // 10, count, 10 * count):
        command = [sys.executable, "-c", MEMORY, str(some), str(links)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        found.append((int(printed[0]), float(printed[1]), float(printed[2])))
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
        compare_executors(classifier, paths, scratch, not options.without_ray)
        reached = report()
        print(f"ten pictures        {few(folder, scratch):8.2f} s")
        if not options.without_memory:
            peaks = memory(folder, scratch, options.count)
            for some, peak, first in peaks:
                print(f"memory at {some:9} {peak:8.0f} MB, {first:.0f} of them in the first process")
            share = peaks[2][1] / peaks[1][1]
            reached.append((f"memory at {peaks[2][0]} to that at {peaks[1][0]}", share, "at most 1.10"))
    print()
    for what, value, target in reached:
        print(f"{what:45} {value:6.2f}, target {target}")


def report() -> list[tuple[str, float, str]]:
    """Print rates, and return their ratios with their targets."""
    for name, word in CONTENDERS.items():
        if TIMES[name]:
            work = "" if name == "ray" else f"{work_ms(name):8.1f} ms of processor time each"
            print(f"{word:19} {rate(name):8.1f} pictures/s {work}")
    in_turn = 1 / sum(1 / rate(name) for name in ("opening", "network"))
    print(f"one after the other {in_turn:8.1f} pictures/s: opening and the engine, if nothing else cost time")
    ratios = [
        ("ours to the lower bare limit", rate("local") / min(rate("decode"), rate("engine")), "at least 0.85"),
        ("ours to one after the other", rate("local") / in_turn, "at least 0.95"),
        ("ours to Pillow and PyTorch", rate("local") / rate("plain"), "at least 4"),
    ]
    return [*ratios, ("ours to Ray", rate("local") / rate("ray"), "at least 1.0")] if TIMES["ray"] else ratios


if __name__ == "__main__":
    main()
