"""Answer every painting of a prepared split with the network, view by view, as users are answered.

Knows nothing about scores of merit: it gives logits and truths, in the order of the shards.
"""

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
from artnet.imaging.views import REGIONS, VIEWS, WHOLE, View, stored_as
from artnet.model.classifier import Classifier
from artnet.model.prediction import style_scores, vote

Progress = Callable[[int, int], None]
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class SplitPredictions:
    """What a network made of N paintings in V views: logits (N, V, C) and the truths.

    None where the model cannot tell: `ood_score` (N,) and the styles' logits (N, V, K).
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
        """Name the collection that each painting came from: the first part of its source."""
        return tuple(collection_of(source) for source in self.sources)

    def voted(self, weights: Mapping[str, float], temperature: float) -> Scores:
        """Let the views vote with these weights; (N, C) scores."""
        return vote(self.logits, [weights.get(name, 0.0) for name in self.views], temperature)

    def voted_styles(self, weights: Mapping[str, float]) -> Scores | None:
        """Let the views vote on the styles; (N, K) scores, None without a head for them."""
        if self.style_logits is None:
            return None
        return style_scores(self.style_logits, [weights.get(name, 0.0) for name in self.views])


def predict_split(
    classifier: Classifier, data: Path, split: str, views: tuple[str, ...], progress: Progress
) -> SplitPredictions:
    """Run the network on the named stored views of a split; memory holds one painting's views."""
    columns = ["id", "source", "style", "movement", "whole"] + (["regions"] if set(views) & set(REGIONS) else [])
    total = count_rows(data, split)
    facts: list[tuple[str, str, str]] = []
    y_true, logits, ood_score, fine = [], [], [], []
    for row in iterate_rows(data, split, columns):
        seen = classifier.infer([stored_view(row, name) for name in views])
        facts.append((row["id"], row["source"], row["style"]))
        y_true.append(row["movement"])
        logits.append(seen.logits)
        ood_score.append(seen.ood_score)
        if seen.styles is not None:
            fine.append(seen.styles)
        progress(len(facts), total)
    if not facts:
        raise DataError(f"{data}: the {split} split is empty")
    ids, sources, styles = (tuple(column) for column in zip(*facts, strict=True))
    known = None if ood_score[0] is None else np.array(ood_score, np.float64)
    return SplitPredictions(
        ids,
        sources,
        styles,
        np.array(y_true, np.int64),
        views,
        np.stack(logits),
        known,
        np.stack(fine) if fine else None,
    )


def check_fit(classifier: Classifier, info: DatasetInfo, data: Path) -> None:
    """Refuse a dataset whose movements or views are not the model's. Errors: `DataError`."""
    config = classifier.config
    expected = (config.movements, config.preprocessing.size_px, config.preprocessing.fit)
    if (info.movements, info.size_px, info.fit) != expected:
        raise DataError(
            f"{data}: holds {info.fit} views of {info.size_px} px of {', '.join(info.movements)}, the model "
            f"{config.name} wants {config.preprocessing.fit} views of {config.preprocessing.size_px} px of "
            f"{', '.join(config.movements)}; prepare the dataset with --size-px {config.preprocessing.size_px} "
            f"--fit {config.preprocessing.fit}"
        )


def stored_view(row: Mapping[str, Any], name: str) -> View:
    """Decode one view of a dataset's row."""
    stored = row["whole"] if name == WHOLE else row["regions"][VIEWS.index(name) - 1]
    with Image.open(BytesIO(stored["bytes"])) as image:
        return stored_as(name, image.convert("RGB"))
