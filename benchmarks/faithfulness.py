"""Compare every method and depth by deletion, insertion and shuffled weights, on paintings of a prepared dataset.

    python benchmarks/faithfulness.py DATA OUT.jsonl [--model FOLDER] [--paintings 200] [--steps 4]
    python benchmarks/faithfulness.py --table OUT.jsonl

Writes a line for each painting as it goes and continues where it was stopped. The paintings are spread evenly over the
test split; the target is the predicted movement. Every fifth painting is also explained with shuffled
weights. Sampling is thinner than that of `artnet explain`, so that two hundred paintings take hours and not days.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from artnet.attribution.faithfulness import MAX_SHUFFLED_CORRELATION, measure_maps, rank_correlation
from artnet.attribution.methods import AttributionOptions, Sampling, TargetScorer, attribute, available_methods
from artnet.data.dataset import count_rows, iterate_rows
from artnet.imaging.views import WHOLE, Box, View
from artnet.model.classifier import Classifier
from artnet.model.engine import Engine
from artnet.model.preprocessing import network_input

SAMPLING = Sampling(masks=100, channels=8, steps=8, samples=8, squares=9)
SHUFFLED_EVERY = 5


def measure_view(classifier: Classifier, view: np.ndarray, steps: int, shuffled: Engine | None) -> dict[str, Any]:
    """Measure every method at every depth on one view."""
    logits = classifier.engine.run(view[None], None, ["logits"])["logits"]
    weights = np.eye(logits.shape[1], dtype=np.float32)[[int(logits[0].argmax())]]
    scorer = TargetScorer(classifier.engine, weights)
    layers = classifier.config.layers
    methods = available_methods(layers, classifier.engine)
    maps = {
        f"{method} {depth}": grid
        for method in methods
        for depth, grid in attribute(scorer, view, AttributionOptions(method, layers, SAMPLING)).items()
    }
    gains = measure_maps(scorer, view, dict(enumerate(maps.values())), steps, seed=0)
    row = {name: asdict(gains[index]) for index, name in enumerate(maps)}
    if shuffled is not None:
        shuffled_scorer = TargetScorer(shuffled, weights)
        for method in methods:
            for depth, grid in attribute(shuffled_scorer, view, AttributionOptions(method, layers, SAMPLING)).items():
                name = f"{method} {depth}"
                row[name]["shuffled_correlation"] = rank_correlation(maps[name], grid)
    return row


def measure(data: Path, out: Path, model: Path | None, paintings: int, steps: int) -> None:
    """Measure paintings and write a line for each."""
    classifier = Classifier.load(model, precision="f32")
    shuffled = classifier.engine.shuffled(0)
    total = count_rows(data, "test")
    chosen = {int(index) for index in np.linspace(0, total - 1, paintings)}
    # In a fixed random order, so that a stopped run covers all parts of the split.
    order = np.random.default_rng(0).permutation(sorted(chosen))
    rows = {index: row for index, row in enumerate(iterate_rows(data, "test", ["id", "whole"])) if index in chosen}
    done = {json.loads(line)["id"] for line in out.read_text().splitlines()} if out.exists() else set()
    with out.open("a") as file:
        for count, index in enumerate(order):
            row = rows[int(index)]
            if row["id"] in done:
                continue
            with Image.open(BytesIO(row["whole"]["bytes"])) as image:
                whole = View(WHOLE, Box(0, 0, *image.size), image.convert("RGB"))
            view = network_input([whole], classifier.config.preprocessing)[0]
            measured = measure_view(classifier, view, steps, shuffled if count % SHUFFLED_EVERY == 0 else None)
            file.write(json.dumps({"id": row["id"], "maps": measured}) + "\n")
            file.flush()


@dataclass(frozen=True)
class Row:
    """One method at one depth, over all paintings."""

    method: str
    depth: str
    deletion: float
    insertion: float
    gain: float
    error: float
    over_pixels: float
    shuffled: float

    @property
    def faults(self) -> str:
        """Return what the maps fail at."""
        independent = abs(self.shuffled) >= MAX_SHUFFLED_CORRELATION
        return "; ".join(
            ["no better than chance"] * (self.gain <= 2 * self.error) + ["same with shuffled weights"] * independent
        )


def read_rows(out: Path) -> tuple[int, list[Row]]:
    """Average what was measured."""
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    lines = out.read_text().splitlines()
    for line in lines:
        for name, measured in json.loads(line)["maps"].items():
            for key, value in measured.items():
                values[name][key].append(value)
    rows = []
    for name, columns in values.items():
        keys = ("deletion", "insertion", "gain", "gain_over_pixels", "shuffled_correlation")
        deletion, insertion, gain, pixels, shuffled = (float(np.mean(columns[key])) for key in keys)
        error = float(np.std(columns["gain"], ddof=1) / np.sqrt(len(columns["gain"])))
        method, depth = name.split()
        rows.append(Row(method, depth, deletion, insertion, gain, error, pixels, shuffled))
    return len(lines), rows


def table(out: Path) -> None:
    """Print the gains by method and depth, then everything, as Markdown."""
    count, rows = read_rows(out)
    print(
        f"{count} paintings; standard errors of the gain {min(row.error for row in rows):.3f} to "
        f"{max(row.error for row in rows):.3f}\n"
    )
    print("| method | " + " | ".join(map(str, range(1, 10))) + " |\n| --- |" + " ---: |" * 9)
    for method in dict.fromkeys(row.method for row in rows if row.depth != "0"):
        cells = [f"{row.gain:+.3f}{' ✗' if row.faults else ''}" for row in rows if row.method == method]
        print(f"| {method} | " + " | ".join(cells) + " |")
    print("\n| method | gain |\n| --- | ---: |")
    for row in rows:
        if row.depth == "0":
            print(f"| {row.method} | {row.gain:+.3f}{' ✗' if row.faults else ''} |")
    print("\n| method | depth | deletion | insertion | gain | over pixels | shuffled | fails at |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |")
    for row in rows:
        depth = "pixels" if row.depth == "0" else row.depth
        areas = f"{row.deletion:.3f} | {row.insertion:.3f} | {row.gain:+.3f} ± {row.error:.3f}"
        print(f"| {row.method} | {depth} | {areas} | {row.over_pixels:+.3f} | {row.shuffled:+.2f} | {row.faults} |")


def main() -> None:
    """Measure, or print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--paintings", type=int, default=200)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    if options.table:
        table(options.table)
    elif options.data and options.out:
        measure(options.data, options.out, options.model, options.paintings, options.steps)
    else:
        parser.error("name DATA and OUT.jsonl, or --table OUT.jsonl")


if __name__ == "__main__":
    main()
