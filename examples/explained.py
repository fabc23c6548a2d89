"""Draw the figures of docs/explain.md from the images in this folder.

    python examples/explained.py [--model FOLDER]

Takes a few minutes, most of them for the methods that sample and for the channels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

from artnet.attribution.explain import ExplainOptions, Explanation, explain
from artnet.attribution.feature_visualization import visualize_feature
from artnet.attribution.methods import METHODS, available_methods
from artnet.model.classifier import Classifier
from artnet.render.contact_sheet import Sheet, Tile, explanation_sheet, render_image, tile_sheet
from artnet.render.overlay import depth_overlay

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
DEPTH = 9
TILE_PX = 300


def tile(caption: str, explanation: Explanation) -> Tile:
    """Return an overlay of an explanation's deepest map, with its caption."""
    return caption, depth_overlay(explanation, max(explanation.maps), longest_px=TILE_PX)


def methods(classifier: Classifier) -> Sheet:
    """Draw every method on one image."""
    image = HERE / "atelier.jpg"
    tiles = [("the painting", Image.open(image).convert("RGB"))]
    names = available_methods(classifier.config.layers, classifier.engine)
    for name in names:
        layered = METHODS[name].reads == "layers"
        explanation = explain(classifier, image, method=name, depth=DEPTH if layered else "all")
        tiles.append(tile(f"{name}, depth {DEPTH}" if layered else name, explanation))
    movement = explanation.prediction.movement
    return tile_sheet(f"Why {movement}? {len(names)} methods", "the same image, network and target", tiles, 4)


def targets(classifier: Classifier) -> Sheet:
    """Draw every kind of target on one image."""
    image, depth = HERE / "pointillist.jpg", 6
    scores = classifier.classify(image).scores
    first, second = sorted(scores, key=lambda name: -scores[name])[:2]
    cases = [
        (f"why {first}?", (first, None, False)),
        (f"why {second} instead?", (second, None, False)),
        (f"why {first} rather than {second}?", (first, second, False)),
        (f"for (warm) and against (cold) {first}", (first, None, True)),
    ]
    tiles = []
    for caption, (movement, rather_than, against) in cases:
        tiles.append(tile(caption, explain(classifier, image, movement, rather_than, depth=depth, against=against)))
    return tile_sheet("Four targets", f"gradcam at depth {depth}", tiles, 4)


def regions(classifier: Classifier) -> Sheet:
    """Draw a corner at the image's own resolution: by the map of the whole, and with those of the regions."""
    image, depth, corner = HERE / "faceted.jpg", 5, (0, 0, 440, 440)
    tiles = [("a corner of the painting", Image.open(image).convert("RGB").crop(corner))]
    for caption, with_regions in (("the whole alone", False), ("with its five regions (--regions)", True)):
        explanation = explain(classifier, image, depth=depth, options=ExplainOptions(regions=with_regions))
        tiles.append((caption, depth_overlay(explanation, depth).crop(corner)))
    return tile_sheet("The whole image and its regions", f"gradcam at depth {depth}", tiles, 3)


def channels(classifier: Classifier) -> Sheet:
    """Visualize the channel of each depth that adds most to one prediction."""
    explanation = explain(classifier, HERE / "pointillist.jpg", options=ExplainOptions(channels=1))
    tiles = []
    for depth, (best, *_) in explanation.channels.items():
        layer = classifier.config.layers[depth - 1]
        visualization = visualize_feature(classifier, layer, best.channel, steps=128)
        tiles.append((f"depth {depth}, channel {best.channel}", Image.fromarray(visualization.pixels)))
    note = f"the channels that add most to the prediction {explanation.target.movement} for pointillist.jpg"
    return tile_sheet("What channels have learnt", note, tiles, 5)


def main() -> None:
    """Draw and write all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    classifier = Classifier.load(parser.parse_args().model, precision="f32")
    sheets = {
        "pointillist-explained": explanation_sheet(explain(classifier, HERE / "pointillist.jpg")),
        "explain-against": explanation_sheet(explain(classifier, HERE / "atelier.jpg", against=True)),
        "explain-targets": targets(classifier),
        "explain-regions": regions(classifier),
        "explain-methods": methods(classifier),
        "explain-channels": channels(classifier),
    }
    for name, sheet in sheets.items():  # sizes are printed because they travel with every clone
        render_image(sheet).save(DOCS / f"{name}.jpg", quality=84, optimize=True)
        print(f"{name}.jpg: {(DOCS / f'{name}.jpg').stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
