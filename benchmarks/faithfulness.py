"""Compare every method and depth by deletion, insertion and shuffled weights, on paintings of a prepared dataset.

    python benchmarks/faithfulness.py DATA OUT.jsonl [--model FOLDER] [--paintings 200] [--steps 4]
    python benchmarks/faithfulness.py --table OUT.jsonl

Writes a line for each painting as it goes and takes up where it was stopped. The paintings are spread evenly over the
test split; the question is why the model gives its own answer. Every fifth painting is also explained with shuffled
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

from artnet.attribution.faithfulness import SAME_MAP, measure_all, rank_correlation
from artnet.attribution.methods import METHODS, Sampling, TargetScorer, evidence
from artnet.data.dataset import count_rows, iterate_rows
from artnet.imaging.views import WHOLE, Box, View
from artnet.model.classifier import Classifier
from artnet.model.preprocessing import network_input

SAMPLING = Sampling(masks=100, channels=8, steps=8, samples=8, squares=9)
SHUFFLED_EVERY = 5


def painting(classifier: Classifier, view: np.ndarray, steps: int, shuffled: Any) -> dict[str, Any]:
    """Measure every method at every depth on one view."""
    logits = classifier.engine.run(view[None], None, ["logits"])["logits"]
    target = np.zeros_like(logits)
    target[0, logits[0].argmax()] = 1
    probe = TargetScorer(classifier.engine, target)
    layers = classifier.config.layers
    maps = {
        f"{method} {depth}": grid
        for method in METHODS
        for depth, grid in evidence(probe, view, method, layers, SAMPLING).items()
    }
    found = measure_all(probe, view, dict(enumerate(maps.values())), steps, seed=0)
    row = {name: asdict(found[index]) for index, name in enumerate(maps)}
    if shuffled is not None:
        other = TargetScorer(shuffled, target)
        for method in METHODS:
            for depth, grid in evidence(other, view, method, layers, SAMPLING).items():
                name = f"{method} {depth}"
                row[name]["shuffled_correlation"] = rank_correlation(maps[name], grid)
    return row


def measure(data: Path, out: Path, model: Path | None, paintings: int, steps: int) -> None:
    """Measure paintings and write a line for each."""
    classifier = Classifier.load(model, precision="f32")
    shuffled = classifier.engine.shuffled(0)
    total = count_rows(data, "test")
    wanted = {int(place) for place in np.linspace(0, total - 1, paintings)}
    # In a fixed random order, so that a stopped run has seen all parts of the split.
    order = np.random.default_rng(0).permutation(sorted(wanted))
    rows = {index: row for index, row in enumerate(iterate_rows(data, "test", ["id", "whole"])) if index in wanted}
    done = {json.loads(line)["id"] for line in out.read_text().splitlines()} if out.exists() else set()
    with out.open("a") as file:
        for count, index in enumerate(order):
            row = rows[int(index)]
            if row["id"] in done:
                continue
            with Image.open(BytesIO(row["whole"]["bytes"])) as image:
                seen = View(WHOLE, Box(0, 0, *image.size), image.convert("RGB"))
            view = network_input([seen], classifier.config.preprocessing)[0]
            found = painting(classifier, view, steps, shuffled if count % SHUFFLED_EVERY == 0 else None)
            file.write(json.dumps({"id": row["id"], "found": found}) + "\n")
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
        """Say what the maps fail at."""
        blind = abs(self.shuffled) >= SAME_MAP
        return "; ".join(
            ["no better than chance"] * (self.gain <= 2 * self.error) + ["same with shuffled weights"] * blind
        )


def read_rows(out: Path) -> tuple[int, list[Row]]:
    """Average what was measured."""
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    lines = out.read_text().splitlines()
    for line in lines:
        for name, found in json.loads(line)["found"].items():
            for key, value in found.items():
                values[name][key].append(value)
    rows = []
    for name, found in values.items():
        keys = ("deletion", "insertion", "gain", "gain_over_pixels", "shuffled_correlation")
        deletion, insertion, gain, pixels, shuffled = (float(np.mean(found[key])) for key in keys)
        error = float(np.std(found["gain"], ddof=1) / np.sqrt(len(found["gain"])))
        rows.append(Row(*name.split(), deletion, insertion, gain, error, pixels, shuffled))
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
        place = "pixels" if row.depth == "0" else row.depth
        areas = f"{row.deletion:.3f} | {row.insertion:.3f} | {row.gain:+.3f} ± {row.error:.3f}"
        print(f"| {row.method} | {place} | {areas} | {row.over_pixels:+.3f} | {row.shuffled:+.2f} | {row.faults} |")


def main() -> None:
    """Measure, or print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--paintings", type=int, default=200)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--table", type=Path)
    given = parser.parse_args()
    if given.table:
        table(given.table)
    elif given.data and given.out:
        measure(given.data, given.out, given.model, given.paintings, given.steps)
    else:
        parser.error("give DATA and OUT.jsonl, or --table OUT.jsonl")


if __name__ == "__main__":
    main()
