"""What validation decides for a model folder: view weights, temperature, thresholds and the OOD detector.

It runs the exported graph in the engine, as users will.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artnet.data.dataset import collection_of, count_rows, iterate_rows, read_columns, spread_rows
from artnet.evaluation.predictions import stored_view
from artnet.imaging.views import REGIONS, VIEWS, WHOLE
from artnet.metrics.calibration import confidence_for_accuracy, fit_temperature, negative_log_likelihood
from artnet.model.config import OOD_METHOD, Calibration, OodSettings, Preprocessing
from artnet.model.engine import Engine
from artnet.model.ood import OodDetector, fit_ood_detector
from artnet.model.prediction import vote
from artnet.model.preprocessing import network_input

TARGET_ACCURACY = 0.8  # of the predictions that are not called unsure
FAMILIAR_SHARE = 0.975  # of each collection's validation paintings, not to be called unfamiliar
MIN_LARGE_PAINTINGS = 200  # on which to choose the views' weights
MIN_COLLECTION = 100  # paintings of a collection for a quantile of its own
MAX_FITTED = 8000  # train paintings that the OOD detector is fitted to; more do not move 128 directions

Floats = NDArray[np.floating]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FittedSettings:
    """Everything that validation decides; `ood.sha256` is added once the detector is written."""

    view_weights: dict[str, float]
    calibration: Calibration
    detector: OodDetector
    ood: OodSettings


@dataclass(frozen=True)
class ExportedNetwork:
    """An exported graph in an engine, and the preprocessing of its views."""

    engine: Engine
    preprocessing: Preprocessing


@dataclass(frozen=True)
class _WholeViews:
    """Outputs for whole views, and what the dataset knows of their paintings."""

    logits: Floats  # (N, C)
    embeddings: Floats  # (N, E)
    movements: NDArray[np.int64]  # (N,)
    collections: tuple[str, ...]


def calibrate(network: ExportedNetwork, data: Path, progress: Progress = lambda done, total: None) -> FittedSettings:
    """Run a network on the train and validation splits of `data` and fit everything that they decide.

    Regions are computed only where enough validation paintings are large enough for them to add information.
    """
    val_rows, train_rows = count_rows(data, "val"), min(count_rows(data, "train"), MAX_FITTED)
    total = val_rows + train_rows
    val = _run_whole_views(network, data, "val", val_rows, lambda done: progress(done, total))
    train = _run_whole_views(network, data, "train", train_rows, lambda done: progress(val_rows + done, total))
    large = np.flatnonzero(_shorter_sides(data) >= 2 * network.preprocessing.size_px)
    weights = view_weights(0.0)
    if len(large) >= MIN_LARGE_PAINTINGS:
        weights = choose_view_weights(_run_all_views(network, data, large), val.movements[large])
    logits = val.logits[:, None]  # (N, 1, C)
    shares = [1.0]
    if weights[WHOLE] < 1:
        logits, shares = _run_all_views(network, data, np.arange(val_rows)), [weights[name] for name in VIEWS]
    detector = fit_ood_detector(train.embeddings, train.movements)
    threshold = ood_threshold(detector.ood_score(val.embeddings), val.collections)
    return FittedSettings(
        weights,
        fit_calibration(logits, shares, val.movements),
        detector,
        OodSettings(OOD_METHOD, round(threshold, 4), FAMILIAR_SHARE, ""),
    )


def fit_calibration(logits: Floats, shares: Sequence[float], y_true: NDArray[np.int64]) -> Calibration:
    """Fit temperature and confidence threshold, and measure coverage and accuracy at that threshold.

    Temperature scaling as in Guo et al., "On calibration of modern neural networks", 2017; the threshold as in Geifman
    and El-Yaniv, "Selective classification for deep neural networks", 2017, for an accuracy of four in five.

    Args:
        logits: (N, V, C)
        shares: each view's weight, V of them
        y_true: (N,)
    """
    temperature = round(fit_temperature(lambda t: negative_log_likelihood(y_true, vote(logits, shares, t))), 4)
    scores = vote(logits, shares, temperature)
    threshold = math.floor(confidence_for_accuracy(y_true, scores, TARGET_ACCURACY) * 1e4) / 1e4
    confident = scores.max(1) >= threshold
    correct = (scores.argmax(1) == y_true)[confident]
    accuracy = round(float(correct.mean()), 4) if len(correct) else None
    return Calibration(temperature, threshold, round(float(confident.mean()), 4), accuracy)


def choose_view_weights(logits: Floats, y_true: NDArray[np.int64]) -> dict[str, float]:
    """Return the weights of the whole view and the five regions in the vote that have the best likelihood.

    Tried are regions that together weigh nothing, a quarter, half or three quarters. They cost five more views, so they
    must improve the likelihood by a hundredth of a nat.

    Args:
        logits: (N, 6, C) of paintings at least twice a view's size; in smaller ones a region is nearly the whole
        y_true: (N,)
    """
    losses = {}
    for share in (0.0, 0.25, 0.5, 0.75):
        weights = [view_weights(share)[name] for name in VIEWS]
        losses[share] = min(
            negative_log_likelihood(y_true, vote(logits, weights, temperature))
            for temperature in np.geomspace(0.5, 3, 13)
        )
    best = min(losses, key=lambda share: losses[share])
    return view_weights(best if losses[best] < losses[0.0] - 0.01 else 0.0)


def view_weights(regions_share: float) -> dict[str, float]:
    """Return the views' weights when the regions share `regions_share` of the vote evenly.

    >>> view_weights(0.5)["whole"], view_weights(0.5)["centre"]
    (0.5, 0.1)
    """
    return {WHOLE: 1 - regions_share, **{name: regions_share / len(REGIONS) for name in REGIONS}}


def ood_threshold(ood_scores: Floats, collections: Sequence[str], share: float = FAMILIAR_SHARE) -> float:
    """Return the OOD score that `share` of the paintings of every collection do not exceed.

    Collections differ in resolution and sharpness, which shifts embeddings: one quantile of all paintings would call
    most of a small collection unfamiliar. Collections under 100 paintings count only together with the rest.
    """
    names = np.array(collections)
    by_collection = (ood_scores[names == name] for name in np.unique(names))
    groups = [ood_scores, *(group for group in by_collection if len(group) >= MIN_COLLECTION)]
    return max(float(np.quantile(group, share)) for group in groups)


def _run_whole_views(
    network: ExportedNetwork, data: Path, split: str, rows: int, progress: Callable[[int], None]
) -> _WholeViews:
    """Run the whole views of `rows` paintings, evenly spaced in the split."""
    logits, embeddings, movements, collections = [], [], [], []
    for row in spread_rows(data, split, ["movement", "source", "whole"], rows):
        inputs = network_input([stored_view(row, WHOLE)], network.preprocessing)
        outputs = network.engine.run(inputs, None, ["logits", "embedding"])
        logits.append(outputs["logits"][0])
        embeddings.append(outputs["embedding"][0])
        movements.append(row["movement"])
        collections.append(collection_of(row["source"]))
        progress(len(logits))
    return _WholeViews(np.stack(logits), np.stack(embeddings), np.array(movements, np.int64), tuple(collections))


def _run_all_views(network: ExportedNetwork, data: Path, rows: NDArray[np.int64]) -> Floats:
    """Return the logits (N, 6, C) of all views of some validation paintings."""
    chosen, logits = set(rows.tolist()), []
    for index, row in enumerate(iterate_rows(data, "val", ["whole", "regions"])):
        if index in chosen:
            inputs = network_input([stored_view(row, name) for name in VIEWS], network.preprocessing)
            logits.append(network.engine.run(inputs, None, ["logits"])["logits"])
    return np.stack(logits)


def _shorter_sides(data: Path) -> NDArray[np.int64]:
    """Return each validation painting's shorter side in pixels."""
    table = read_columns(data, "val", ["width", "height"])
    shorter: NDArray[np.int64] = np.minimum(table["width"].to_numpy(), table["height"].to_numpy()).astype(np.int64)
    return shorter
