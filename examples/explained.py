"""Draw the pictures of docs/explain.md from the pictures in this folder.

    python examples/explained.py [--model FOLDER]

Takes a few minutes, most of them for the methods that sample and for the channels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

from artnet.attribution.channels import dream
from artnet.attribution.explain import ExplainOptions, Explanation, explain
from artnet.attribution.methods import METHODS
from artnet.model.classifier import Classifier
from artnet.render.contact_sheet import Sheet, drawn, explanation_sheet, fitted, tiles_sheet
from artnet.render.overlay import overlay

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
DEPTH = 9
TILE_PX = 300


def tile(caption: str, found: Explanation, depth: int | None = None) -> tuple[str, Image.Image]:
    """Draw one overlay with its caption."""
    small = fitted(found.image, TILE_PX)
    return caption, overlay(small, found.heatmap(depth, small.size), signed=found.asked.against)


def methods(classifier: Classifier) -> Sheet:
    """Draw every method on one picture."""
    image = HERE / "atelier.jpg"
    tiles = [("the painting", fitted(Image.open(image).convert("RGB"), TILE_PX))]
    for name, method in METHODS.items():
        layered = method.reads == "layers"
        found = explain(classifier, image, method=name, depth=DEPTH if layered else "all")
        tiles.append(tile(f"{name}, depth {DEPTH}" if layered else name, found))
    answer = found.prediction.movement
    return tiles_sheet(f"Why {answer}? Eleven methods", "the same picture, network and question", tiles, 4)


def questions(classifier: Classifier) -> Sheet:
    """Draw every kind of question on one picture."""
    image, depth = HERE / "pointillist.jpg", 6
    scores = classifier.classify(image).scores
    first, second = sorted(scores, key=lambda name: -scores[name])[:2]
    asked = [
        (f"why {first}?", (first, None, False)),
        (f"why {second} instead?", (second, None, False)),
        (f"why {first} rather than {second}?", (first, second, False)),
        (f"for (warm) and against (cold) {first}", (first, None, True)),
    ]
    tiles = []
    for words, (movement, rather_than, against) in asked:
        found = explain(classifier, image, movement, rather_than, depth=depth, against=against)
        tiles.append(tile(words, found))
    return tiles_sheet("Four questions", f"gradcam at depth {depth}", tiles, 4)


def canvas(classifier: Classifier) -> Sheet:
    """Draw a corner at the painting's own resolution: the whole's map beside the whole canvas's."""
    image, depth, corner = HERE / "faceted.jpg", 5, (0, 0, 440, 440)
    tiles = [("a corner of the painting", Image.open(image).convert("RGB").crop(corner))]
    for words, looked in (("the whole alone", False), ("with its five regions (--canvas)", True)):
        found = explain(classifier, image, depth=depth, asking=ExplainOptions(canvas=looked))
        tiles.append((words, overlay(found.image, found.heatmap(depth)).crop(corner)))
    return tiles_sheet("The whole canvas", f"gradcam at depth {depth}", tiles, 3)


def channels(classifier: Classifier) -> Sheet:
    """Dream of the channel of each depth that adds most to one answer."""
    found = explain(classifier, HERE / "pointillist.jpg", asking=ExplainOptions(channels=1))
    tiles = []
    for depth, (best, *_) in found.channels.items():
        layer = classifier.config.layers[depth - 1]
        dreamt = dream(classifier.engine, classifier.config, layer, best.channel, steps=128)
        tiles.append((f"depth {depth}, channel {best.channel}", Image.fromarray(dreamt.pixels)))
    note = f"the channels that add most to the answer {found.movement} for pointillist.jpg"
    return tiles_sheet("What channels have learnt", note, tiles, 5)


def main() -> None:
    """Draw and write all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    classifier = Classifier.load(parser.parse_args().model, precision="f32")
    sheets = {
        "pointillist-explained": explanation_sheet(explain(classifier, HERE / "pointillist.jpg")),
        "explain-against": explanation_sheet(explain(classifier, HERE / "atelier.jpg", against=True)),
        "explain-questions": questions(classifier),
        "explain-canvas": canvas(classifier),
        "explain-methods": methods(classifier),
        "explain-channels": channels(classifier),
    }
    for name, sheet in sheets.items():  # sizes are printed because they travel with every clone
        drawn(sheet).save(DOCS / f"{name}.jpg", quality=84, optimize=True)
        print(f"{name}.jpg: {(DOCS / f'{name}.jpg').stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
