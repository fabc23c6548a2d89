"""Find the wrong answers that a model was surest of, and their pictures.

Knows nothing about pages: it gives facts and small JPEGs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.data.dataset import iterate_rows
from artnet.evaluation.predictions import SplitPredictions, stored_view
from artnet.imaging.encode import encode_jpeg
from artnet.imaging.views import WHOLE

MOST_SHOWN = 50
_THUMBNAIL_PX = 168
_QUALITY = 72  # fifty of them weigh some 400 kB


@dataclass(frozen=True)
class WorstError:
    """A wrong answer; `row` is the painting's place in its split, `picture` a JPEG or None."""

    row: int
    id: str
    source: str
    style: str
    truth: str
    answer: str
    confidence: float
    picture: bytes | None = None


def worst_errors(
    answers: SplitPredictions, scores: NDArray[np.float64], movements: Sequence[str], count: int = MOST_SHOWN
) -> tuple[WorstError, ...]:
    """List the wrong answers of highest confidence, the surest first."""
    y_pred, confidence = scores.argmax(1), scores.max(1)
    wrong = np.flatnonzero(y_pred != answers.y_true)
    order = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    return tuple(
        WorstError(
            row=int(row),
            id=answers.ids[row],
            source=answers.sources[row],
            style=answers.styles[row],
            truth=movements[answers.y_true[row]],
            answer=movements[y_pred[row]],
            confidence=float(confidence[row]),
        )
        for row in order
    )


def with_pictures(mistakes: Sequence[WorstError], data: Path, split: str) -> tuple[WorstError, ...]:
    """Add each painting's thumbnail, at the painting's own aspect ratio, in one pass over the split."""
    wanted = {mistake.row for mistake in mistakes}
    pictures = {
        index: _thumbnail(stored_view(row, WHOLE).image, row["width"] / row["height"])
        for index, row in enumerate(iterate_rows(data, split, ["whole", "width", "height"]))
        if index in wanted
    }
    return tuple(replace(mistake, picture=pictures[mistake.row]) for mistake in mistakes)


def _thumbnail(view: Image.Image, aspect: float) -> bytes:
    """Shrink a whole view; one that was stretched gets its painting's shape again."""
    box = view.getbbox() or (0, 0, *view.size)  # without the letterbox's black bands
    width, height = min(1.0, aspect), min(1.0, 1 / aspect)
    size = (max(1, round(_THUMBNAIL_PX * width)), max(1, round(_THUMBNAIL_PX * height)))
    return encode_jpeg(view.crop(box).resize(size, Image.Resampling.LANCZOS), _QUALITY, optimize=True)
