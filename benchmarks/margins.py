"""Measure where margins are found and what leaving them out is worth, on collections and on margins of known size.

    python benchmarks/margins.py found SOURCE... [--sheet FILE.jpg]
    python benchmarks/margins.py known SOURCE... [--paintings 300] [--seed 0] [--model FOLDER]

`found` counts the images of each source that are trimmed, how much of them, and how the answers to them change; the
sheet shows every one with its box, to look at. `known` lays margins of 5 to 30 % of each side around paintings that
have none, saves them as JPEG, and compares boxes with the truth and answers with those to the painting alone.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from artnet.errors import ArtNetError
from artnet.imaging.decode import ImageFile, decode_image
from artnet.imaging.encode import encode_jpeg, thumbnail
from artnet.imaging.margins import find_margins
from artnet.imaging.views import Box
from artnet.model.classifier import Classifier
from artnet.model.prediction import Prediction
from artnet.sources.find import find_items
from artnet.sources.item import DEFAULT_RULES

KINDS = ("white", "black", "grey", "colour", "noisy")
LAYOUTS = ("four sides", "four equal sides", "above and below", "left and right")
QUALITY = 80
TILE_PX, COLUMNS = 200, 12


@dataclass(frozen=True)
class Framed:
    """A painting with margins: the JPEG file's bytes, and where the painting lies in it."""

    data: bytes
    box: Box


def trimming_classifier(model: Path | None) -> Classifier:
    """Load a model and have it leave margins out, whatever its config says."""
    loaded = Classifier.load(model)
    preprocessing = replace(loaded.config.preprocessing, trim=True)
    return Classifier(replace(loaded.config, preprocessing=preprocessing), loaded.engine, loaded.ood, loaded.folder)


def shares(rng: np.random.Generator, layout: str) -> tuple[float, float, float, float]:
    """Draw the share of the framed image's sides that each margin takes: left, top, right, bottom."""
    one = rng.uniform(0.05, 0.30)
    if layout == "four sides":
        left, top, right, bottom = rng.uniform(0.05, 0.30, 4)
        return (left, top, right, bottom)
    if layout == "four equal sides":
        return (one, one, one, one)
    return (0, one, 0, one) if layout == "above and below" else (one, 0, one, 0)


def framed(painting: Image.Image, kind: str, layout: str, rng: np.random.Generator) -> Framed:
    """Lay margins of a kind around a painting and save it as a JPEG file."""
    left, top, right, bottom = shares(rng, layout)
    width, height = round(painting.width / (1 - left - right)), round(painting.height / (1 - top - bottom))
    x, y = round(width * left), round(height * top)
    grey = int(rng.integers(60, 200))
    colour = {
        "white": np.array([255, 255, 255]),
        "black": np.array([0, 0, 0]),
        "grey": np.array([grey, grey, grey]),
        "colour": rng.integers(0, 256, 3),
        "noisy": rng.integers(215, 250) + rng.integers(-12, 6, 3),
    }[kind]
    pixels = np.broadcast_to(colour, (height, width, 3)).astype(np.float32)
    if kind == "noisy":  # a scanner's: some levels of each channel
        pixels += rng.standard_normal(pixels.shape, np.float32) * np.float32(rng.uniform(1, 4))
    image = Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))
    image.paste(painting, (x, y))
    return Framed(encode_jpeg(image, QUALITY), Box(x, y, x + painting.width, y + painting.height))


def overlap(one: Box, other: Box) -> float:
    """Return the intersection of two boxes over their union."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    inner = max(0, width) * max(0, height)
    return inner / (one.width * one.height + other.width * other.height - inner)


def errors(found: Box, true: Box) -> tuple[int, int, int, int]:
    """Return by how many pixels each edge lies inside of the painting; below 0 it lies outside."""
    return (found.left - true.left, found.top - true.top, true.right - found.right, true.bottom - found.bottom)


@dataclass(frozen=True)
class Case:
    """What became of one framed painting."""

    iou: float
    errors: tuple[int, int, int, int]
    same_trimmed: bool
    same_kept: bool
    shift_trimmed: float
    shift_kept: float


def measure_known(options: argparse.Namespace) -> None:
    """Print, by kind and layout, how exact boxes are and how many answers are those to the painting alone."""
    classifier, rng = trimming_classifier(options.model), np.random.default_rng(options.seed)
    candidates = [entry for source in options.sources for entry in find_items([source])]
    cases: dict[str, list[Case]] = defaultdict(list)
    done = 0
    with suppress(KeyboardInterrupt):  # what was measured until then is printed
        for index in rng.permutation(len(candidates)):
            try:
                painting = decode_image(candidates[index].read(DEFAULT_RULES), candidates[index].name)
            except ArtNetError:
                continue
            if find_margins(painting) != Box(0, 0, *painting.size):
                continue  # its own margins are not known
            alone = classifier.classify(ImageFile(encode_jpeg(painting, QUALITY), "alone"))
            for kind in KINDS:
                layout = LAYOUTS[int(rng.integers(len(LAYOUTS)))]
                case = measure_case(classifier, alone, framed(painting, kind, layout, rng))
                for name in (kind, layout, "all"):
                    cases[name].append(case)
            done += 1
            if done == options.paintings:
                break
    print_known(cases, done)


def measure_case(classifier: Classifier, alone: Prediction, made: Framed) -> Case:
    """Compare a framed painting's box with the truth, and its two answers with that to the painting alone."""
    found = find_margins(decode_image(made.data, "framed"))
    trimmed, kept = (classifier.classify(ImageFile(made.data, "framed"), trim=trim) for trim in (True, False))
    shifts = [abs(each.scores[alone.movement] - alone.confidence) for each in (trimmed, kept)]
    same = [each.movement == alone.movement for each in (trimmed, kept)]
    return Case(overlap(found, made.box), errors(found, made.box), *same, *shifts)


def print_known(cases: dict[str, list[Case]], paintings: int) -> None:
    """Print a Markdown table."""
    print(f"{paintings} paintings, {len(cases['all'])} images\n")
    print(
        "| margins | images | IoU | all edges within 2 px | furthest into the painting | same answer, trimmed | kept |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in (*KINDS, *LAYOUTS, "all"):
        rows = cases[name]
        if not rows:
            continue
        edges = np.array([case.errors for case in rows])
        numbers = [np.mean([getattr(case, field) for case in rows]) for field in ("iou", "same_trimmed", "same_kept")]
        within = (np.abs(edges).max(1) <= 2).mean()
        print(
            f"| {name} | {len(rows)} | {numbers[0]:.3f} | {within:.1%} | {edges.max()} px | {numbers[1]:.1%} | "
            f"{numbers[2]:.1%} |"
        )
    everything = cases["all"]
    shifts = [np.mean([getattr(case, field) for case in everything]) for field in ("shift_trimmed", "shift_kept")]
    print(f"\nmean change of the answer's score: {shifts[0]:.3f} trimmed, {shifts[1]:.3f} kept")


def measure_found(options: argparse.Namespace) -> None:
    """Print how many images of each source are trimmed, how much, and how many answers change; draw them."""
    classifier = trimming_classifier(options.model)
    print("| collection | images | trimmed | area left out: median, largest | answers that change |")
    print("| --- | ---: | ---: | ---: | ---: |")
    tiles: list[tuple[Image.Image, Box]] = []
    for source in options.sources:
        total, areas, changed = 0, [], 0
        for item in find_items([source]):
            try:
                data = item.read(DEFAULT_RULES)
                image = decode_image(data, item.name)
            except ArtNetError:
                continue
            total += 1
            box = find_margins(image)
            if box == Box(0, 0, *image.size):
                continue
            areas.append(1 - box.width * box.height / (image.width * image.height))
            answers = [classifier.classify(ImageFile(data, item.name), trim=trim).movement for trim in (True, False)]
            changed += answers[0] != answers[1]
            small = thumbnail(image, TILE_PX)
            tiles.append((small, box.scaled(small.width / image.width, small.height / image.height)))
        spread = f"{np.median(areas):.1%}, {max(areas):.0%}" if areas else "-"
        share = len(areas) / max(1, total)
        print(f"| {Path(source).name} | {total} | {len(areas)} ({share:.1%}) | {spread} | {changed} |")
    if options.sheet:
        draw_sheet(tiles, options.sheet)


def draw_sheet(tiles: list[tuple[Image.Image, Box]], path: Path) -> None:
    """Draw images with their boxes in rows."""
    side = TILE_PX + 4
    page = Image.new("RGB", (COLUMNS * side, -(-len(tiles) // COLUMNS) * side), (70, 70, 110))
    for index, (image, box) in enumerate(tiles):
        outlined = image.copy()
        ImageDraw.Draw(outlined).rectangle((box.left, box.top, box.right - 1, box.bottom - 1), outline="red")
        page.paste(outlined, (index % COLUMNS * side, index // COLUMNS * side))
    stream = BytesIO()
    page.save(stream, "JPEG", quality=85)
    path.write_bytes(stream.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["found", "known"])
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--paintings", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    (measure_known if options.action == "known" else measure_found)(options)


if __name__ == "__main__":
    main()
