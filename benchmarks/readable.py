"""Measure what-if and the properties: which property carries which movement, how quick, how steady.

    python benchmarks/readable.py what-if DATA OUT.jsonl [--model FOLDER] [--paintings 60]
    python benchmarks/readable.py agreement FOLDER
    python benchmarks/readable.py speed IMAGE [--model FOLDER]
    python benchmarks/readable.py ranges DATA --model FOLDER
    python benchmarks/readable.py teach FOLDERS

`what-if` edits up to 60 paintings of each predicted movement, spread over the test split of a prepared dataset, writes
a line for each, continues where it was stopped, and prints the tables of docs/what-if.md. `agreement` compares the
properties of images at their own size with those of their views as a dataset stores them. `ranges` adds the ranges of
properties to a model folder that was exported without them. `teach` times artnet teach on folders named by class, with
an empty cache and then with a full one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from artnet.attribution.what_if import EDITS, score_view, what_if
from artnet.data.dataset import iterate_rows
from artnet.data.view_chunks import JPEG_QUALITY
from artnet.evaluation.predictions import stored_view
from artnet.evaluation.property_ranges import measure_property_ranges
from artnet.imaging.edits import crop_pixel, reencode
from artnet.imaging.encode import encode_jpeg
from artnet.imaging.properties import PROPERTIES, SIDE_PX, measure_properties
from artnet.imaging.views import WHOLE, whole_view
from artnet.metrics.bootstrap import ROUNDS
from artnet.model.classifier import Classifier
from artnet.model.config import PROPERTIES_FILE, read_config, sha256_of, write_config
from artnet.model.property_ranges import write_property_ranges

# Neutral changes that the noise was not taken from: how many exceed it says how often what is told is noise.
HELD_OUT = {
    "another pixel cropped (upper right)": partial(crop_pixel, corner=1),
    "another pixel cropped (lower left)": partial(crop_pixel, corner=3),
    "JPEG of quality 90": partial(reencode, quality=90),
}


def measure_edits(data: Path, out: Path, model: Path | None, paintings: int) -> None:
    """Edit paintings and write a line for each."""
    classifier = Classifier.load(model)
    lines = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    done, counts = {line["id"] for line in lines}, Counter(line["answer"] for line in lines)
    rows = list(iterate_rows(data, "test", ["id", "movement", "whole"]))
    with out.open("a") as file:
        for index in np.random.default_rng(0).permutation(len(rows)):
            row, needed = rows[index], len(classifier.config.movements) * paintings
            if row["id"] in done or counts.total() == needed:
                continue
            image = stored_view(row, WHOLE).image
            scores, _ = score_view(classifier, np.asarray(image))
            answer = max(scores, key=lambda name: scores[name])
            if counts[answer] == paintings:
                continue
            counts[answer] += 1
            file.write(json.dumps({"id": row["id"], "answer": answer, **measured(classifier, image)}) + "\n")
            file.flush()


def measured(classifier: Classifier, image: Image.Image) -> dict[str, Any]:
    """Return what the edits and the changes held out do to a painting's scores."""
    result = what_if(classifier, image)
    edits = {
        outcome.edit.name: {
            "answer": outcome.movement,
            "changes": outcome.changes,
            "told": bool(outcome.sentence),
            "unfamiliar": outcome.decision == "unfamiliar",
        }
        for outcome in result.outcomes
    }
    held_out = {}
    for name, change in HELD_OUT.items():
        after, _ = score_view(classifier, change(np.asarray(image)))
        held_out[name] = max(abs(after[each] - result.scores[each]) for each in after)
    return {"noise": result.noise, "edits": edits, "held_out": held_out}


def print_tables(out: Path, movements: tuple[str, ...]) -> None:
    """Print, as Markdown, what each edit does to the paintings of each predicted movement."""
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    by_answer = {name: [line for line in lines if line["answer"] == name] for name in movements}
    print(", ".join(f"{name} {len(rows)}" for name, rows in by_answer.items()))
    print("\nMean change of the score of the predicted movement, in points\n")
    print("| edit | " + " | ".join(movements) + " |\n| --- |" + " ---: |" * len(movements))
    for edit in EDITS.values():
        cells = [
            interval([100 * row["edits"][edit.name]["changes"][name] for row in rows])
            for name, rows in by_answer.items()
        ]
        print(f"| {edit.label} | " + " | ".join(cells) + " |")
    print("\nShare of predictions that become another movement, and which most often\n")
    print(
        "| edit | "
        + " | ".join((*movements, "all", "told", "unfamiliar"))
        + " |\n| --- |"
        + " ---: |" * (len(movements) + 3)
    )
    for edit in EDITS.values():
        cells = [flips(edit.name, name, rows) for name, rows in by_answer.items()]
        cells += [interval([100 * (line["edits"][edit.name]["answer"] != line["answer"]) for line in lines]) + " %"]
        cells += [f"{np.mean([line['edits'][edit.name][key] for line in lines]):.0%}" for key in ("told", "unfamiliar")]
        print(f"| {edit.label} | " + " | ".join(cells) + " |")
    noise = [line["noise"] for line in lines]
    print(f"\nnoise: median {100 * np.median(noise):.1f} points, nine in ten under {100 * np.quantile(noise, 0.9):.1f}")
    for name in HELD_OUT:
        print(f"{name}: over the noise in {np.mean([line['held_out'][name] > line['noise'] for line in lines]):.1%}")


def interval(values: list[float]) -> str:
    """Return a mean with its 95 % bootstrap interval over paintings."""
    if not values:
        return "–"
    array, rng = np.asarray(values), np.random.default_rng(0)
    means = rng.choice(array, (ROUNDS, len(array))).mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{array.mean():.0f} ({low:.0f} to {high:.0f})"


def flips(edit: str, name: str, rows: list[dict[str, Any]]) -> str:
    """Return the share of other answers and the most frequent among them."""
    others = Counter(row["edits"][edit]["answer"] for row in rows if row["edits"][edit]["answer"] != name)
    if not others:
        return "0 %" if rows else "–"
    return f"{others.total() / len(rows):.0%} {others.most_common(1)[0][0]}"


def print_agreement(folder: Path) -> None:
    """Print how well the properties of images agree with those of their stored views, as Markdown."""
    pairs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for path in sorted(each for each in folder.rglob("*") if each.suffix.lower() in (".jpg", ".jpeg", ".png")):
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        view = encode_jpeg(whole_view(image, SIDE_PX, "stretch").image, JPEG_QUALITY, subsampling="4:4:4")
        stored = measure_properties(Image.open(BytesIO(view)).convert("RGB"))
        for name, value in measure_properties(image).items():
            pairs[name].append((value, stored[name]))
    print("| property | correlation | mean difference | in standard deviations |\n| --- | ---: | ---: | ---: |")
    for name, values in pairs.items():
        own, stored_values = np.asarray(values).T
        difference, correlation = np.abs(own - stored_values).mean(), np.corrcoef(own, stored_values)[0, 1]
        print(f"| {PROPERTIES[name].label} | {correlation:.3f} | {difference:.3f} | {difference / own.std():.2f} |")
    print(f"\n{len(values)} images")


def print_speed(image: Path, model: Path | None) -> None:
    """Print how long a classification, all edits and all properties take, in milliseconds of the clock and of work."""
    classifier = Classifier.load(model)
    with Image.open(image) as opened:
        print(f"{image.name}, {opened.width} x {opened.height} px")
    whole = classifier.open(image).image
    tasks: dict[str, Callable[[], object]] = {
        "classifying it": lambda: classifier.classify(image),
        "what if, all edits": lambda: what_if(classifier, image),
        "properties": lambda: measure_properties(whole),
    }
    rounds = [[timed(task) for task in tasks.values()] for _ in range(26)][1:]  # alternating: others' work varies
    medians = 1e3 * np.median(rounds, 0)
    for name, (clock, work), (clock_ratio, work_ratio) in zip(tasks, medians, medians / medians[0], strict=True):
        print(f"{name}: {clock:.1f} ms, {work:.1f} ms of processor time ({clock_ratio:.1f} and {work_ratio:.1f} times)")


def timed(task: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that a task takes, by the clock and of all threads' work."""
    clock, work = time.perf_counter(), time.process_time()
    task()
    return time.perf_counter() - clock, time.process_time() - work


def print_teaching(folders: Path) -> None:
    """Print how long teaching takes, in seconds of the clock, and what it then says of the classes."""
    with TemporaryDirectory() as scratch:
        environment = {**os.environ, "XDG_CACHE_HOME": scratch}
        for number, cache in enumerate(("empty cache", "full cache")):
            command = [sys.executable, "-m", "artnet", "teach", str(folders), "--out", f"{scratch}/{number}"]
            clock = time.perf_counter()
            done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
            print(f"{cache}: {time.perf_counter() - clock:.1f} s")
        print(done.stdout)


def add_ranges(data: Path, model: Path) -> None:
    """Write properties.json and name it in config.json."""
    write_property_ranges(model / PROPERTIES_FILE, measure_property_ranges(data))
    write_config(model, replace(read_config(model), properties_sha256=sha256_of(model / PROPERTIES_FILE)))


def main() -> None:
    """Do what is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["what-if", "agreement", "speed", "ranges", "teach"])
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--paintings", type=int, default=60)
    options = parser.parse_args()
    if options.what == "what-if" and options.out:
        measure_edits(options.source, options.out, options.model, options.paintings)
        print_tables(options.out, Classifier.load(options.model).config.movements)
    elif options.what == "agreement":
        print_agreement(options.source)
    elif options.what == "speed":
        print_speed(options.source, options.model)
    elif options.what == "teach":
        print_teaching(options.source)
    elif options.what == "ranges" and options.model:
        add_ranges(options.source, options.model)
    else:
        parser.error("name DATA and OUT.jsonl for what-if, --model FOLDER for ranges")


if __name__ == "__main__":
    main()
