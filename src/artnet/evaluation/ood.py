"""How well a model tells out-of-distribution images from the paintings of a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artnet.batch.predict import classify_sources
from artnet.errors import UsageError
from artnet.metrics.bootstrap import Interval, resampled_interval
from artnet.metrics.classification import auroc
from artnet.model.classifier import Classifier
from artnet.model.config import ModelConfig


@dataclass(frozen=True)
class OodScores:
    """How well the OOD score separates the images of one folder from the paintings of the split.

    `auroc` is the probability that an image has a higher OOD score than a painting, and `interval` holds it with the
    interval over resampled images and paintings; `auroc_by_collection` is against the paintings of each collection
    alone, so that a difference in resolution between collections cannot inflate it.
    `detection_rate` is the share of the images called unfamiliar; `failed` images cannot be read and do not count.
    """

    images: int
    failed: int
    auroc: float
    interval: Interval
    auroc_by_collection: Mapping[str, float]
    detection_rate: float


@dataclass(frozen=True)
class InDistribution:
    """The paintings to compare with: OOD scores (N,) and the collection of each."""

    ood_score: NDArray[np.float64]
    collections: Sequence[str]


def check_ood_folders(config: ModelConfig, folders: Sequence[str]) -> None:
    """Refuse folders of out-of-distribution images for a model without a detector.

    Raises:
        UsageError: if there is a folder and no detector
    """
    if folders and config.ood is None:
        raise UsageError(
            f"--ood {folders[0]}: the model {config.name} has no out-of-distribution detector; "
            "export it again with artnet export RUN --out FOLDER"
        )


def measure_ood(classifier: Classifier, folder: str, paintings: InDistribution) -> OodScores:
    """Classify every image of a folder and compare the OOD scores with those of paintings.

    Raises:
        UsageError: if the folder holds no image that can be read
    """
    results = [result.prediction for result in classify_sources(classifier, [folder])]
    predictions = [prediction for prediction in results if prediction is not None and prediction.ood_score is not None]
    if not predictions:
        raise UsageError(f"--ood {folder}: contains no image that can be read; name a folder with images")
    scores = np.array([prediction.ood_score for prediction in predictions], np.float64)
    collections = np.array(paintings.collections)
    return OodScores(
        images=len(scores),
        failed=len(results) - len(scores),
        auroc=auroc(paintings.ood_score, scores),
        interval=auroc_interval(paintings.ood_score, scores),
        auroc_by_collection={
            str(name): auroc(paintings.ood_score[collections == name], scores) for name in np.unique(collections)
        },
        detection_rate=float(np.mean([prediction.decision == "unfamiliar" for prediction in predictions])),
    )


def auroc_interval(negatives: NDArray[np.float64], positives: NDArray[np.float64]) -> Interval:
    """Return the AUROC of positives (P,) over negatives (N,) with its interval over resamples of all together."""
    together, count = np.concatenate([negatives, positives]), len(negatives)

    def resampled(rows: NDArray[np.int64]) -> float:
        return auroc(together[rows[rows < count]], together[rows[rows >= count]])

    return resampled_interval(resampled, len(together))
