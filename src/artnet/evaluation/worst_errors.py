"""The most confident errors of a model, and thumbnails of their paintings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from artnet.data.dataset import iterate_rows
from artnet.evaluation.predictions import ScoredSplit, stored_view
from artnet.imaging.encode import encode_jpeg, thumbnail
from artnet.imaging.views import WHOLE

MOST_LISTED = 50
_THUMBNAIL_PX = 168
_QUALITY = 72  # fifty of them weigh some 400 kB


@dataclass(frozen=True)
class WorstError:
    """A painting whose prediction is not its true movement."""

    id: str
    source: str
    style: str
    truth: str
    prediction: str
    confidence: float


def worst_errors(scored: ScoredSplit, movements: Sequence[str], count: int = MOST_LISTED) -> tuple[WorstError, ...]:
    """Return the errors of highest confidence, the most confident first."""
    predictions = scored.predictions
    y_pred, confidence = scored.scores.argmax(1), scored.scores.max(1)
    wrong = np.flatnonzero(y_pred != predictions.y_true)
    order = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    return tuple(
        WorstError(
            id=predictions.ids[row],
            source=predictions.sources[row],
            style=predictions.styles[row],
            truth=movements[predictions.y_true[row]],
            prediction=movements[y_pred[row]],
            confidence=float(confidence[row]),
        )
        for row in order
    )


def error_thumbnails(errors: Sequence[WorstError], data: Path, split: str) -> tuple[bytes, ...]:
    """Return a JPEG of each error's painting, in its aspect ratio, from one pass over the split."""
    ids = {error.id for error in errors}
    jpegs = {
        row["id"]: _thumbnail(stored_view(row, WHOLE).image, row["width"] / row["height"])
        for row in iterate_rows(data, split, ["id", "whole", "width", "height"])
        if row["id"] in ids
    }
    return tuple(jpegs[error.id] for error in errors)


def _thumbnail(view: Image.Image, aspect: float) -> bytes:
    """Scale a whole view down; one that was stretched gets its painting's aspect ratio again."""
    image = view.crop(view.getbbox())  # without the letterbox's black bands
    side = max(image.size)
    shape = (max(1, round(side * min(1.0, aspect))), max(1, round(side * min(1.0, 1 / aspect))))
    return encode_jpeg(thumbnail(image.resize(shape), _THUMBNAIL_PX), _QUALITY, optimize=True)
