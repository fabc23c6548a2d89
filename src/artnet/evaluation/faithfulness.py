"""Faithfulness of heatmaps, averaged over paintings of a prepared dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artnet.attribution.faithfulness import MAX_SHUFFLED_CORRELATION, FaithfulnessResult, assess
from artnet.attribution.methods import AttributionOptions, TargetScorer, attribute, check_outputs
from artnet.data.dataset import count_rows, spread_rows
from artnet.evaluation.predictions import stored_view
from artnet.imaging.views import WHOLE
from artnet.model.classifier import Classifier
from artnet.model.preprocessing import network_input

Floats = NDArray[np.float32]
METHOD = "gradcam"


@dataclass(frozen=True)
class DepthFaithfulness:
    """Means over paintings of one method at one depth: areas under the curves (0 to 1), gains over random rankings.

    `standard_error` is that of `gain`. A depth `passes` if its gain is above twice that and its maps change with the
    weights: `shuffled_correlation` is that of their ranks with the maps of shuffled weights.
    """

    method: str
    depth: int
    paintings: int
    deletion: float
    insertion: float
    gain: float
    standard_error: float
    gain_over_pixels: float
    shuffled_correlation: float
    passes: bool


def measure_faithfulness(
    classifier: Classifier,
    data: Path,
    split: str,
    count: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[DepthFaithfulness, ...]:
    """Measure Grad-CAM's heatmaps at all depths on `count` paintings, spread evenly over the split.

    Each heatmap is for the movement that the painting's whole view is predicted as.

    Raises:
        DataError: if the dataset cannot be read
        ModelError: if the model lacks the outputs that Grad-CAM needs
    """
    layers = classifier.config.layers
    check_outputs(METHOD, layers, classifier.engine)
    options = AttributionOptions(METHOD, layers)
    results: list[Mapping[int, FaithfulnessResult]] = []
    total = min(count, count_rows(data, split))
    for view in _network_views(classifier, data, split, total):
        scorer = TargetScorer(classifier.engine, predicted_target(classifier, view))
        results.append(assess(scorer, view, attribute(scorer, view, options), options))
        progress(len(results), total)
    depths = results[0] if results else ()
    return tuple(mean_faithfulness(METHOD, depth, [each[depth] for each in results]) for depth in depths)


def predicted_target(classifier: Classifier, view: Floats) -> Floats:
    """Return the target (1, C) of the movement that a view (3, S, S) is predicted as: 1 for it, 0 for the others."""
    logits = classifier.engine.run(view[None], None, ["logits"])["logits"][0]
    target: Floats = np.eye(len(logits), dtype=np.float32)[[int(logits.argmax())]]
    return target


def mean_faithfulness(method: str, depth: int, results: Sequence[FaithfulnessResult]) -> DepthFaithfulness:
    """Average the results at one depth over the paintings."""
    measured = [result.faithfulness for result in results]
    gains = np.array([faithfulness.gain for faithfulness in measured])
    error = float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else 0.0
    correlation = float(np.mean([result.shuffled_correlation for result in results]))
    return DepthFaithfulness(
        method=method,
        depth=depth,
        paintings=len(measured),
        deletion=float(np.mean([faithfulness.deletion for faithfulness in measured])),
        insertion=float(np.mean([faithfulness.insertion for faithfulness in measured])),
        gain=float(gains.mean()),
        standard_error=error,
        gain_over_pixels=float(np.mean([faithfulness.gain_over_pixels for faithfulness in measured])),
        shuffled_correlation=correlation,
        passes=bool(gains.mean() > 2 * error and abs(correlation) < MAX_SHUFFLED_CORRELATION),
    )


def _network_views(classifier: Classifier, data: Path, split: str, count: int) -> Iterator[Floats]:
    for row in spread_rows(data, split, ["whole"], count):
        yield network_input([stored_view(row, WHOLE)], classifier.config.preprocessing)[0]
