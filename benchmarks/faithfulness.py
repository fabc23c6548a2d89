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
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from artnet.classify import Classifier, network_input
from artnet.dataset import count_rows, iterate_rows
from artnet.evidence import METHODS, Probe, Sampling, evidence
from artnet.faithfulness import SAME_MAP, measure_all, rank_correlation
from artnet.views import WHOLE, Box, View

SAMPLING = Sampling(masks=100, channels=8, steps=8, samples=8, squares=9)
SHUFFLED_EVERY = 5


def painting(classifier: Classifier, view: np.ndarray, steps: int, shuffled: Any) -> dict[str, Any]:
    """Measure every method at every depth on one view."""
    logits = classifier.engine.run(view[None], None, ["logits"])["logits"]
    target = np.zeros_like(logits)
    target[0, logits[0].argmax()] = 1
    probe = Probe(classifier.engine, target)
    layers = classifier.config.layers
    maps = {
        f"{method} {depth}": grid
        for method in METHODS
        for depth, grid in evidence(probe, view, method, layers, SAMPLING).items()
    }
    found = measure_all(probe, view, dict(enumerate(maps.values())), steps, seed=0)
    row = {name: asdict(found[index]) for index, name in enumerate(maps)}
    if shuffled is not None:
        other = Probe(shuffled, target)
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


def table(out: Path) -> None:
    """Print a row for each method and depth: mean areas, mean gain with its standard error, correlation."""
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    lines = out.read_text().splitlines()
    for line in lines:
        for name, found in json.loads(line)["found"].items():
            for key, value in found.items():
                values[name][key].append(value)
    print(f"{len(lines)} paintings\n")
    print("| method | depth | deletion | insertion | gain | over pixels | shuffled | verdict |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |")
    for name, found in values.items():
        method, depth = name.split()
        gain = np.array(found["gain"])
        error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else float("nan")
        shuffled = found.get("shuffled_correlation", [float("nan")])
        faults = [] if gain.mean() > 2 * error else ["no better than chance"]
        faults += ["does not change with the weights"] if abs(np.mean(shuffled)) >= SAME_MAP else []
        means = " | ".join(f"{np.mean(found[key]):.3f}" for key in ("deletion", "insertion"))
        print(
            f"| {method} | {depth if depth != '0' else 'pixels'} | {means} | {gain.mean():+.3f} ± {error:.3f} | "
            f"{np.mean(found['gain_over_pixels']):+.3f} | {np.mean(shuffled):+.2f} | {'; '.join(faults) or 'passes'} |"
        )


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
