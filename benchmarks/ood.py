"""Measure how well kinds of images that were not trained on are called unfamiliar: a table with a kind left out a row.

    python benchmarks/ood.py DATA --outliers FOLDER... [--periods COLLECTION] [--model FOLDER]

Each folder of outliers is a kind, and so is each kind drawn by code. Of the collection of `--periods` the styles of no
movement are kinds by group. The detector is fitted to the training paintings and to all kinds but the one in the row,
and measured against the test paintings of natural aspect ratio.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artnet.data.dataset import collection_of, count_rows, read_columns, spread_rows
from artnet.data.readers.detect import read_catalog
from artnet.evaluation.ood import auroc_interval
from artnet.evaluation.predictions import stored_view
from artnet.imaging.decode import decode_image
from artnet.imaging.views import WHOLE, View
from artnet.model.classifier import Classifier
from artnet.model.ood import OodDetector, expose_to_outliers, fit_ood_detector
from artnet.model.preprocessing import network_input
from artnet.sources.item import DEFAULT_RULES
from artnet.taxonomy import load_taxonomy
from artnet.training.export.calibrate import natural_paintings, ood_threshold
from artnet.training.export.outliers import outlier_views, stored_whole_view, synthetic_views
from artnet.training.export.synthetic import KINDS

Embeddings = NDArray[np.float32]
GROUPS = {
    "baroque and rococo": ("baroque", "rococo", "classic", "academic"),
    "renaissance and gothic": ("renaissance", "mannerism", "gothic", "byzantine"),
    "romantic and symbolist": ("romantic", "biedermeier", "symbolism", "tonalism"),
    "japan": ("ukiyo", "hanga", "japon"),
    "surreal and decorative": ("surreal", "magic", "fantastic", "muralism", "art nouveau", "art deco"),
    "after 1950": ("",),  # whatever is left
}


class Embedder:
    """The network of a model folder, from views to embeddings (N, E)."""

    def __init__(self, model: Path | None) -> None:
        self.classifier = Classifier.load(model)
        self.preprocessing = self.classifier.config.preprocessing

    def __call__(self, views: list[View]) -> Embeddings:
        run = self.classifier.engine.run
        return np.concatenate(
            [run(network_input([view], self.preprocessing), None, ["embedding"])["embedding"] for view in views]
        )

    def split(self, data: Path, name: str, most: int = 8000) -> tuple[Embeddings, NDArray[np.int64], list[str]]:
        """Return embeddings, movements and collections of a split, at most `most` paintings evenly spaced."""
        rows = spread_rows(data, name, ["movement", "source", "whole"], min(most, count_rows(data, name)))
        found = [(self([stored_view(row, WHOLE)]), row["movement"], collection_of(row["source"])) for row in rows]
        return (
            np.concatenate([each for each, _, _ in found]),
            np.array([movement for _, movement, _ in found]),
            [collection for _, _, collection in found],
        )


def period_of(style: str) -> str:
    """Return the group of a style of no movement."""
    return next(name for name, parts in GROUPS.items() if any(part in style.lower() for part in parts))


def period_kinds(collection: str, embed: Embedder) -> dict[str, Embeddings]:
    """Return the embeddings of a collection's paintings of no movement by group."""
    taxonomy = load_taxonomy()
    groups: dict[str, list[View]] = {name: [] for name in GROUPS}
    for record in read_catalog(collection).records:
        if record.location is not None and taxonomy.movement_of(record.style) is None:
            image = decode_image(record.location.read(record.source, DEFAULT_RULES), record.source)
            groups[period_of(record.style)].append(stored_whole_view(image, embed.preprocessing))
    return {name: embed(views) for name, views in groups.items() if views}


def fits(detector: OodDetector, paintings: Embeddings) -> Mapping[str, Callable[[list[Embeddings]], OodDetector]]:
    """Return the statistics to compare, each from the outliers to the detector."""

    def exposed(outliers: list[Embeddings]) -> OodDetector:
        return expose_to_outliers(detector, paintings, outliers)

    def linear(outliers: list[Embeddings]) -> OodDetector:  # distances that are always smaller
        found = exposed(outliers)
        return replace(found, variances=found.variances * 1e12, rest=found.rest * 1e12)

    return {"distance": lambda outliers: detector, "linear term": linear, "the larger": exposed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--outliers", nargs="+", default=[])
    parser.add_argument("--periods")
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    embed = Embedder(options.model)
    styles = read_columns(options.data, "train", ["style"])["style"].to_pylist()
    kinds = {
        Path(each).name: embed(list(outlier_views(each, embed.preprocessing, styles))) for each in options.outliers
    }
    families = dict.fromkeys(kinds, "")
    if options.periods:
        periods = period_kinds(options.periods, embed)
        kinds, families = kinds | periods, families | dict.fromkeys(periods, "other periods")
    drawn = {kind: embed(list(synthetic_views(kind, embed.preprocessing))) for kind in KINDS}
    kinds, families = kinds | drawn, families | dict.fromkeys(drawn, "drawn by code")
    train, movements, _ = embed.split(options.data, "train")
    val, _, collections = embed.split(options.data, "val")
    test, _, _ = embed.split(options.data, "test")
    sizes = read_columns(options.data, "test", ["source", "width", "height"])
    where = [collection_of(source) for source in sizes["source"].to_pylist()]
    test = test[natural_paintings(sizes["width"].to_numpy(), sizes["height"].to_numpy(), where)]
    statistics = fits(fit_ood_detector(train, movements), train)
    rows = {name: [name] for name in kinds}
    rows |= {
        f"all {family}": [name for name in kinds if families[name] == family]
        for family in set(families.values())
        if family
    }
    print(f"{len(train)} training paintings, {len(test)} natural ones of test\n")
    print("| left out | images | " + " | ".join(f"{name} | caught | false alarms" for name in statistics) + " |")
    for row, left_out in rows.items():
        cells = []
        for fit in statistics.values():
            detector = fit([kinds[name] for name in kinds if name not in left_out])
            threshold = ood_threshold(detector.ood_score(val), collections)
            images = detector.ood_score(np.concatenate([kinds[name] for name in left_out]))
            found = auroc_interval(detector.ood_score(test), images)
            cells.append(
                f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f}) | {(images > threshold).mean():.2f} | "
                f"{(detector.ood_score(test) > threshold).mean():.3f}"
            )
        print(f"| {row} | {sum(len(kinds[name]) for name in left_out)} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
