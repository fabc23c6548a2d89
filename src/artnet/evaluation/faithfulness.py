"""Measure how faithful a method's maps are over many paintings of a prepared dataset.

Knows nothing about reports: figures by method and depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artnet.attribution.faithfulness import MAX_SHUFFLED_CORRELATION, Faithfulness, FaithfulnessResult, assess
from artnet.attribution.methods import AttributionOptions, TargetScorer, attribute, check_outputs, get_method
from artnet.data.dataset import count_rows, spread_rows
from artnet.evaluation.predictions import stored_view
from artnet.imaging.views import WHOLE
from artnet.model.classifier import Classifier
from artnet.model.preprocessing import network_input

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class MapScores:
    """Means over paintings: areas under the curves (0 to 1), gains, and correlation with shuffled weights.

    `error` is the gain's standard error. `passes`: the gain is above twice that, and the maps change with the weights.
    """

    method: str
    depth: int
    paintings: int
    deletion: float
    insertion: float
    gain: float
    error: float
    gain_over_pixels: float
    shuffled_correlation: float
    passes: bool


def evaluate_maps(
    classifier: Classifier,
    data: Path,
    split: str,
    paintings: int,
    method: str = "gradcam",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[MapScores, ...]:
    """Judge a method's maps at all depths on `paintings` of a split, spread evenly over it.

    The question is why the model gives its own answer. Errors: `DataError` for a dataset that cannot be read,
    `ModelError` for a model without what the method needs.
    """
    layers = classifier.config.layers if get_method(method).reads == "layers" else ()
    check_outputs(method, layers, classifier.engine)
    options = AttributionOptions(method, layers)
    found: list[Mapping[int, FaithfulnessResult]] = []
    total = min(paintings, count_rows(data, split))
    for view in _views(classifier, data, split, total):
        scorer = TargetScorer(classifier.engine, answered(classifier, view))
        maps = attribute(scorer, view, options)
        found.append(assess(scorer, view, maps, options))
        progress(len(found), total)
    return tuple(_scores(method, depth, [each[depth] for each in found]) for depth in (found[0] if found else ()))


def answered(classifier: Classifier, view: Floats) -> Floats:
    """Ask for the movement that the whole view alone is answered with: weights of logits (1, C)."""
    logits = classifier.engine.run(view[None], None, ["logits"])["logits"][0]
    target: Floats = np.eye(len(logits), dtype=np.float32)[[int(logits.argmax())]]
    return target


def _views(classifier: Classifier, data: Path, split: str, wanted: int) -> Iterator[Floats]:
    for row in spread_rows(data, split, ["whole"], wanted):
        yield network_input([stored_view(row, WHOLE)], classifier.config.preprocessing)[0]


def _scores(method: str, depth: int, verdicts: Sequence[FaithfulnessResult]) -> MapScores:
    each: list[Faithfulness] = [verdict.faithfulness for verdict in verdicts]
    gains = np.array([found.gain for found in each])
    error = float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else 0.0
    correlation = float(np.mean([verdict.shuffled_correlation for verdict in verdicts]))
    return MapScores(
        method=method,
        depth=depth,
        paintings=len(each),
        deletion=float(np.mean([found.deletion for found in each])),
        insertion=float(np.mean([found.insertion for found in each])),
        gain=float(gains.mean()),
        error=error,
        gain_over_pixels=float(np.mean([found.gain_over_pixels for found in each])),
        shuffled_correlation=correlation,
        passes=bool(gains.mean() > 2 * error and abs(correlation) < MAX_SHUFFLED_CORRELATION),
    )
