"""Show a model pictures that are no paintings of its kind, and measure whether it notices.

Knows nothing about how strangeness is measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artnet.batch.predict import classify_all
from artnet.errors import UsageError
from artnet.metrics.classification import auroc
from artnet.model.classifier import Classifier


@dataclass(frozen=True)
class Strangers:
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
class KnownPaintings:
    """The paintings that strangers are set against: strangeness (N,) and the collection of each."""

    strangeness: NDArray[np.float64]
    collections: Sequence[str]


def check_strangers(classifier: Classifier, folders: Sequence[str]) -> None:
    """Refuse strangers for a model that cannot tell. Errors: `UsageError`."""
    if folders and classifier.familiarity is None:
        raise UsageError(
            f"--strangers {folders[0]}: the model {classifier.config.name} cannot tell strangers, since its folder "
            "holds no familiarity; export it again with artnet export"
        )


def measure_strangers(classifier: Classifier, folder: str, paintings: KnownPaintings) -> Strangers:
    """Answer every picture of a folder and compare; pictures that cannot be read are counted and left out."""
    strangeness, unfamiliar, failed = [], 0, 0
    for answer in classify_all(classifier, [folder]):
        found = answer.prediction
        if found is None or found.strangeness is None:
            failed += 1
            continue
        strangeness.append(found.strangeness)
        unfamiliar += found.decision == "unfamiliar"
    if not strangeness:
        raise UsageError(f"--strangers {folder}: holds no picture that can be read; name a folder with pictures")
    shown = np.array(strangeness)
    collections = np.array(paintings.collections)
    return Strangers(
        pictures=len(shown),
        failed=failed,
        auroc=auroc(paintings.strangeness, shown),
        auroc_by_collection={
            str(name): auroc(paintings.strangeness[collections == name], shown) for name in np.unique(collections)
        },
        called_unfamiliar=unfamiliar / len(shown),
    )
