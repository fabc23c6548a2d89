"""Show a model pictures that are no paintings of its kind, and measure whether it notices.

Knows nothing about how ood_score is measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artnet.batch.predict import classify_sources
from artnet.errors import UsageError
from artnet.metrics.classification import auroc
from artnet.model.classifier import Classifier


@dataclass(frozen=True)
class OodScores:
    """How well the pictures of one folder are told from the paintings of the split.

    `auroc` is the chance that one of them is stranger than a painting; `auroc_by_collection` against the paintings
    of each collection alone, so that a difference in resolution between collections cannot pass for insight.
    """

    pictures: int
    failed: int
    auroc: float
    auroc_by_collection: Mapping[str, float]
    called_unfamiliar: float


@dataclass(frozen=True)
class InDistribution:
    """The in-distribution paintings: OOD scores (N,) and the collection of each."""

    ood_score: NDArray[np.float64]
    collections: Sequence[str]


def check_ood_folders(classifier: Classifier, folders: Sequence[str]) -> None:
    """Refuse --ood for a model without an out-of-distribution detector. Errors: `UsageError`."""
    if folders and classifier.ood is None:
        raise UsageError(
            f"--ood {folders[0]}: the model {classifier.config.name} has no out-of-distribution detector; "
            "export it again with artnet export RUN --out FOLDER"
        )


def measure_ood(classifier: Classifier, folder: str, paintings: InDistribution) -> OodScores:
    """Answer every picture of a folder and compare; pictures that cannot be read are counted and left out."""
    ood_score, unfamiliar, failed = [], 0, 0
    for answer in classify_sources(classifier, [folder]):
        found = answer.prediction
        if found is None or found.ood_score is None:
            failed += 1
            continue
        ood_score.append(found.ood_score)
        unfamiliar += found.decision == "unfamiliar"
    if not ood_score:
        raise UsageError(f"--ood {folder}: holds no picture that can be read; name a folder with pictures")
    shown = np.array(ood_score)
    collections = np.array(paintings.collections)
    return OodScores(
        pictures=len(shown),
        failed=failed,
        auroc=auroc(paintings.ood_score, shown),
        auroc_by_collection={
            str(name): auroc(paintings.ood_score[collections == name], shown) for name in np.unique(collections)
        },
        called_unfamiliar=unfamiliar / len(shown),
    )
