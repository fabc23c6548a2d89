"""A model folder with classes of one's own: a head for labelled images on the embeddings of another model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from artnet.atomic import check_absent, new_folder
from artnet.data.split import group_folds
from artnet.errors import ModelError
from artnet.evaluation.calibration import FAMILIAR_SHARE, MAX_FITTED, fit_calibration
from artnet.imaging.properties import PROPERTIES
from artnet.imaging.views import VIEWS, WHOLE
from artnet.metrics.bootstrap import Interval
from artnet.model.card import write_card
from artnet.model.classifier import Classifier
from artnet.model.config import (
    GRAPH_FILE,
    OOD_FILE,
    OOD_METHODS,
    PROPERTIES_FILE,
    Calibration,
    ModelConfig,
    OodSettings,
    sha256_of,
    write_config,
)
from artnet.model.logistic_regression import LogisticRegression
from artnet.model.ood import write_ood_detector
from artnet.model.openvino import OpenVinoEngine
from artnet.model.property_ranges import PropertyRanges, fit_property_ranges, write_property_ranges
from artnet.model.self_check import measure_self_check
from artnet.teaching.graph import read_head, write_with_head
from artnet.teaching.head import (
    OutOfFoldScores,
    cross_validate,
    fit_own_ood_detector,
    measure,
    out_of_fold_ood_scores,
)
from artnet.teaching.images import FOLDS, LabelledImages

MIN_RANGED = 10  # images of a class of which deciles say something
NO_CALIBRATION = Calibration(1.0, 0.0)  # where no image can be judged by a head that had not seen it


@dataclass(frozen=True)
class Taught:
    """What a model was taught, and how well it recognises images that it was not taught."""

    config: ModelConfig
    scores: OutOfFoldScores
    penalty: float
    without_ranges: tuple[str, ...]  # classes with too few images for the ranges of their properties


def check_teachable(classifier: Classifier) -> Path:
    """Return the folder of a model that can be taught; raise `ModelError` for one without embeddings."""
    if classifier.folder is None or "embedding" not in classifier.engine.outputs:
        raise ModelError(
            f"{classifier.folder or classifier.config.name}: its graph has no embeddings to teach on; export the model "
            "again, or leave --from out"
        )
    return classifier.folder


def teach(classifier: Classifier, images: LabelledImages, out: Path) -> Taught:
    """Write a model folder whose movements are the images' classes.

    Args:
        classifier: the model whose embeddings are used
        images: of it
        out: folder to create

    Raises:
        ModelError: for a model that cannot be taught
        OutputError: where `out` exists or cannot be written
    """
    check_absent(out)
    graph = check_teachable(classifier) / GRAPH_FILE
    classes, labels = len(images.classes), images.labels
    folds = group_folds(images.groups, FOLDS)
    validated = cross_validate(read_head(graph).features(images.embeddings), labels, classes, folds)
    known = validated.measured
    calibration = NO_CALIBRATION
    if known.any():
        smoothing = classes / (classes + int(known.sum()))  # as if an image more of each class had been seen (Laplace)
        logits, natural = validated.logits[known][:, None], np.ones(int(known.sum()), bool)
        calibration = fit_calibration(logits, [1.0], labels[known], natural, smoothing)
    scores = measure(validated, labels, classes)
    config = replace(
        classifier.config,
        name=out.name,
        movements=images.classes,
        taxonomy=images.name,
        view_weights={name: float(name == WHOLE) for name in VIEWS},
        calibration=calibration,
        styles=(),
        style_thresholds=None,
        properties_sha256="",
        scores=_record(images, scores, int(known.sum())) if known.any() else {},
        training=_facts(classifier.config, images, validated.penalty),
    )
    some = np.random.default_rng(0).permutation(len(labels))[:MAX_FITTED]
    detector = fit_own_ood_detector(images.embeddings[some], labels[some])
    ood_scores = out_of_fold_ood_scores(images.embeddings[some], labels[some], folds[some])
    threshold = round(float(np.quantile(ood_scores, FAMILIAR_SHARE)), 4)

    ranges = _property_ranges(images)

    def add_statistics(folder: Path, config: ModelConfig) -> ModelConfig:
        write_ood_detector(folder / OOD_FILE, detector)
        ood = OodSettings(OOD_METHODS[0], threshold, FAMILIAR_SHARE, sha256_of(folder / OOD_FILE))
        if not ranges.paintings:
            return replace(config, ood=ood)
        write_property_ranges(folder / PROPERTIES_FILE, ranges)
        return replace(config, ood=ood, properties_sha256=sha256_of(folder / PROPERTIES_FILE))

    config = write_model(out, config, graph, validated.head, add_statistics)
    without_ranges = tuple(name for name in images.classes if name not in ranges.paintings)
    return Taught(config, scores, validated.penalty, without_ranges)


def _property_ranges(images: LabelledImages) -> PropertyRanges:
    """Return the ranges of the measured properties of each class that has enough images for deciles."""
    counts = np.bincount(images.labels, minlength=len(images.classes))
    enough = counts[images.labels] >= MIN_RANGED
    values = [dict(zip(PROPERTIES, row, strict=True)) for row in images.properties[enough].tolist()]
    return fit_property_ranges(values, images.labels[enough].tolist(), images.classes)


def write_model(
    out: Path,
    config: ModelConfig,
    graph: Path,
    head: LogisticRegression,
    add_files: Callable[[Path, ModelConfig], ModelConfig],
) -> ModelConfig:
    """Write a model folder, whole or not at all, and return its settings.

    Args:
        out: folder to create
        config: its settings, without what depends on its files
        graph: the graph that gets another head
        head: on the features of that graph's head
        add_files: writes the other files into a folder and returns the settings with their digests
    """
    with new_folder(out) as folder:
        write_with_head(graph, head, folder / GRAPH_FILE, styles=bool(config.styles))
        config = add_files(folder, replace(config, graph_sha256=sha256_of(folder / GRAPH_FILE)))
        exact = OpenVinoEngine(folder / GRAPH_FILE, "f32", cached=False)
        config = replace(config, self_check=measure_self_check(exact, config.preprocessing))
        write_config(folder, config)
        write_card(folder, config)
    return config


def _record(images: LabelledImages, scores: OutOfFoldScores, measured: int) -> Mapping[str, Any]:
    """Return scores as config.json and the card hold them."""
    return {
        "data": images.name,
        "split": "out-of-fold",
        "protocol": f"{FOLDS}-fold cross-validation grouped by {images.grouped_by}, near-duplicates together",
        "paintings": measured,
        "values": {
            "accuracy": _ends(scores.accuracy),
            "balanced_accuracy": _ends(scores.balanced_accuracy),
        },
        "by_movement": {
            name: {"paintings": count, "recall": recall["value"], "low": recall["low"], "high": recall["high"]}
            for name, count, recall in zip(images.classes, scores.counts, map(_ends, scores.recalls), strict=True)
        },
    }


def _ends(interval: Interval) -> dict[str, float | None]:
    values = {"value": interval.value, "low": interval.low, "high": interval.high}
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def _facts(base: ModelConfig, images: LabelledImages, penalty: float) -> dict[str, Any]:
    kept = {name: base.training[name] for name in ("license", "starting_weights") if name in base.training}
    return {
        **kept,
        "data": images.name,
        "recipe": "a linear head on embeddings, taught with artnet teach",
        "taught_from": f"{base.name} ({base.graph_sha256[:12]})",
        "images": len(images.labels),
        "penalty": penalty,
    }
