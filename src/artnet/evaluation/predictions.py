"""Predictions for every painting of a prepared split: logits by view, and scores and decisions as users get them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.data.dataset import DatasetInfo, collection_of, count_rows, iterate_rows
from artnet.errors import DataError
from artnet.imaging.views import REGIONS, VIEWS, WHOLE, View, square_view
from artnet.metrics.conformal import prediction_sets
from artnet.model.classifier import Classifier
from artnet.model.config import ModelConfig
from artnet.model.prediction import decide, style_scores, vote

Progress = Callable[[int, int], None]
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class SplitPredictions:
    """What a network predicts for N paintings in V views, in the order of the shards, and the true movements.

    Attributes:
        styles: (N,) the collections' own style names.
        y_true: (N,) indices of the true movements.
        views: (V,) names of the views.
        logits: (N, V, C), not calibrated.
        ood_score: (N,), or None if the model has no out-of-distribution detector.
        style_logits: (N, V, K), or None if the model has no second head.
    """

    ids: tuple[str, ...]
    sources: tuple[str, ...]
    styles: tuple[str, ...]
    y_true: NDArray[np.int64]
    views: tuple[str, ...]
    logits: NDArray[np.float32]
    ood_score: NDArray[np.float64] | None = None
    style_logits: NDArray[np.float32] | None = None

    @property
    def collections(self) -> tuple[str, ...]:
        """The collection that each painting came from: the first part of its source."""
        return tuple(collection_of(source) for source in self.sources)

    def voted(self, weights: Mapping[str, float], temperature: float) -> Scores:
        """Return the (N, C) scores of a vote of the views with these weights."""
        return vote(self.logits, [weights.get(name, 0.0) for name in self.views], temperature)

    def voted_styles(self, weights: Mapping[str, float]) -> Scores | None:
        """Return the (N, K) style scores of such a vote, or None if the model has no second head."""
        if self.style_logits is None:
            return None
        return style_scores(self.style_logits, [weights.get(name, 0.0) for name in self.views])


@dataclass(frozen=True)
class ScoredSplit:
    """A split's predictions as users get them: calibrated scores (N, C), decisions (N,) and prediction sets.

    `sets` (N, C) tells which movements are in each set; None in models without.
    """

    predictions: SplitPredictions
    scores: Scores
    decisions: tuple[str, ...]
    sets: NDArray[np.bool_] | None = None


def predict_split(
    classifier: Classifier, data: Path, split: str, views: tuple[str, ...], progress: Progress
) -> SplitPredictions:
    """Run the network on the named stored views of a split; memory holds one painting's views.

    Raises:
        DataError: if the split is empty or cannot be read
    """
    columns = ["id", "source", "style", "movement", "whole"] + (["regions"] if set(views) & set(REGIONS) else [])
    total = count_rows(data, split)
    rows: list[tuple[str, str, str, int]] = []
    outputs = []
    for row in iterate_rows(data, split, columns):
        outputs.append(classifier.infer([stored_view(row, name) for name in views]))
        rows.append((row["id"], row["source"], row["style"], row["movement"]))
        progress(len(rows), total)
    if not rows:
        raise DataError(f"{data}: the {split} split is empty")
    ids, sources, styles, y_true = (tuple(column) for column in zip(*rows, strict=True))
    ood_scores = [output.ood_score for output in outputs if output.ood_score is not None]
    style_logits = [output.styles for output in outputs if output.styles is not None]
    return SplitPredictions(
        ids,
        sources,
        styles,
        np.array(y_true, np.int64),
        views,
        np.stack([output.logits for output in outputs]),
        np.array(ood_scores, np.float64) if ood_scores else None,
        np.stack(style_logits) if style_logits else None,
    )


def score_split(config: ModelConfig, predictions: SplitPredictions) -> ScoredSplit:
    """Return the scores and decisions that users of the model get for a split."""
    scores = predictions.voted(config.view_weights, config.calibration.temperature)
    ood_scores = [None] * len(scores) if predictions.ood_score is None else predictions.ood_score.tolist()
    decisions = [
        decide(config, float(confidence), ood_score)
        for confidence, ood_score in zip(scores.max(1), ood_scores, strict=True)
    ]
    threshold = config.calibration.set_threshold
    sets = None if threshold is None else prediction_sets(scores, threshold)
    return ScoredSplit(predictions, scores, tuple(decisions), sets)


def check_dataset(config: ModelConfig, info: DatasetInfo, data: Path) -> None:
    """Refuse a dataset whose movements or views are not the model's.

    Raises:
        DataError: if they differ
    """
    check_views(config, info, data)
    if info.movements != config.movements:
        raise DataError(
            f"{data}: contains paintings of {', '.join(info.movements)}, the model {config.name} knows "
            f"{', '.join(config.movements)}; prepare the dataset with the model's taxonomy"
        )


def check_views(config: ModelConfig, info: DatasetInfo, data: Path) -> None:
    """Refuse a dataset whose views are not the model's, whatever its movements.

    Raises:
        DataError: if they differ
    """
    expected = (config.preprocessing.size_px, config.preprocessing.fit)
    if (info.size_px, info.fit) != expected:
        raise DataError(
            f"{data}: contains {info.fit} views of {info.size_px} px, the model {config.name} needs {expected[1]} "
            f"views of {expected[0]} px; prepare the dataset with --size-px {expected[0]} --fit {expected[1]}"
        )


def stored_view(row: Mapping[str, Any], name: str) -> View:
    """Decode one view of a dataset's row."""
    stored = row["whole"] if name == WHOLE else row["regions"][VIEWS.index(name) - 1]
    with Image.open(BytesIO(stored["bytes"])) as image:
        return square_view(name, image.convert("RGB"))
