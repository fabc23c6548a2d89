"""Fit on validation what a model folder carries: view weights, temperature, thresholds and the OOD detector.

Knows nothing about torch or the training: it runs the exported graph with the engine, as users will.
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

WANTED_ACCURACY = 0.8  # of the answers that are not called unsure
FAMILIAR_SHARE = 0.975  # of each collection's validation paintings, not to be called unfamiliar
ENOUGH_PAINTINGS = 200  # to choose the weights of the views' votes on
ENOUGH_OF_A_COLLECTION = 100  # for a quantile of its own
MOST_FITTED = 8000  # train paintings that the OOD detector is fitted to; more do not move 128 directions

Floats = NDArray[np.floating]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Calibrated:
    """All that validation decides; `ood.sha256` is filled in once the file is written."""

    view_weights: dict[str, float]
    calibration: Calibration
    fitted: OodDetector
    ood: OodSettings


@dataclass(frozen=True)
class Network:
    """An exported graph, opened, and how its views are prepared."""

    engine: Engine
    preprocessing: Preprocessing


@dataclass(frozen=True)
class _Wholes:
    """What the network makes of whole views: logits (N, C), embeddings (N, E), and what the dataset says of them."""

    logits: Floats
    embeddings: Floats
    movements: NDArray[np.int64]
    collections: tuple[str, ...]


def calibrate(network: Network, data: Path, progress: Progress = lambda done, total: None) -> Calibrated:
    """Run the network over train and validation and decide.

    Regions are computed only where enough validation paintings are large enough for them to tell anything.
    """
    fitted_rows = min(count_rows(data, "train"), MOST_FITTED)
    total = count_rows(data, "val") + fitted_rows
    val = _see_wholes(network, data, "val", count_rows(data, "val"), lambda done: progress(done, total))
    train = _see_wholes(network, data, "train", fitted_rows, lambda done: progress(total - fitted_rows + done, total))
    large = np.flatnonzero(_shorter_sides(data) >= 2 * network.preprocessing.size_px)
    weights = view_weights(0.0)
    if len(large) >= ENOUGH_PAINTINGS:
        weights = choose_view_weights(_see_all_views(network, data, large), val.movements[large])
    logits = val.logits[:, None]  # (N, 1, C)
    shares = [1.0]
    if weights[WHOLE] < 1:
        everything = np.arange(len(val.movements))
        logits, shares = _see_all_views(network, data, everything), [weights[name] for name in VIEWS]
    fitted = fit_ood_detector(train.embeddings, train.movements)
    threshold = ood_threshold(fitted.ood_score(val.embeddings), val.collections)
    return Calibrated(
        weights,
        calibration_of(logits, shares, val.movements),
        fitted,
        OodSettings(OOD_METHOD, round(threshold, 4), FAMILIAR_SHARE, ""),
    )


def calibration_of(logits: Floats, shares: Sequence[float], y_true: NDArray[np.int64]) -> Calibration:
    """Choose temperature and threshold for views' logits (N, V, C), and say what the threshold leaves.

    Temperature scaling as Guo et al., "On calibration of modern neural networks", 2017; the threshold as Geifman and
    El-Yaniv, "Selective classification for deep neural networks", 2017, for an accuracy of four in five.
    """
    temperature = round(fit_temperature(lambda t: negative_log_likelihood(y_true, vote(logits, shares, t))), 4)
    scores = vote(logits, shares, temperature)
    threshold = math.floor(confidence_for_accuracy(y_true, scores, WANTED_ACCURACY) * 1e4) / 1e4
    answered = scores.max(1) >= threshold
    right = (scores.argmax(1) == y_true)[answered]
    accuracy = round(float(right.mean()), 4) if len(right) else None
    return Calibration(temperature, threshold, round(float(answered.mean()), 4), accuracy)


def choose_view_weights(logits: Floats, y_true: NDArray[np.int64]) -> dict[str, float]:
    """Choose how much the whole and the five regions weigh in the vote, from paintings large enough to tell.

    `logits` (N, 6, C) of paintings at least twice a view's size, since in smaller ones the regions are nearly the
    whole again. Tried: regions that together weigh a quarter, half or three quarters. They cost five more views, so
    they must earn a hundredth of a nat of likelihood.
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
    """Give the regions a share of the vote, divided evenly, and the whole the rest."""
    return {WHOLE: 1 - regions_share, **{name: regions_share / len(REGIONS) for name in REGIONS}}


def ood_threshold(ood_score: Floats, collections: Sequence[str], share: float = FAMILIAR_SHARE) -> float:
    """Find the ood_score that the wanted share of every collection's paintings stays at or under.

    Collections differ in resolution and sharpness, and a network sees that: a quantile of all together would call
    most of a small collection's paintings unfamiliar. Those under 100 paintings count only with the rest.
    """
    names = np.array(collections)
    by_collection = (ood_score[names == name] for name in np.unique(names))
    groups = [ood_score, *(group for group in by_collection if len(group) >= ENOUGH_OF_A_COLLECTION)]
    return max(float(np.quantile(group, share)) for group in groups)


def _see_wholes(network: Network, data: Path, split: str, rows: int, progress: Callable[[int], None]) -> _Wholes:
    """Run the whole views of `rows` paintings, taken evenly from the split."""
    logits, embeddings, movements, collections = [], [], [], []
    for row in spread_rows(data, split, ["movement", "source", "whole"], rows):
        inputs = network_input([stored_view(row, WHOLE)], network.preprocessing)
        found = network.engine.run(inputs, None, ["logits", "embedding"])
        logits.append(found["logits"][0])
        embeddings.append(found["embedding"][0])
        movements.append(row["movement"])
        collections.append(collection_of(row["source"]))
        progress(len(logits))
    return _Wholes(np.stack(logits), np.stack(embeddings), np.array(movements, np.int64), tuple(collections))


def _see_all_views(network: Network, data: Path, rows: NDArray[np.int64]) -> Floats:
    """Run all six views of some validation paintings; (N, 6, C) logits."""
    chosen = set(rows.tolist())
    parts = [
        network.engine.run(
            network_input([stored_view(row, name) for name in VIEWS], network.preprocessing), None, ["logits"]
        )["logits"]
        for index, row in enumerate(iterate_rows(data, "val", ["whole", "regions"]))
        if index in chosen
    ]
    return np.stack(parts)


def _shorter_sides(data: Path) -> NDArray[np.int64]:
    """Give each validation painting's shorter side in pixels."""
    table = read_columns(data, "val", ["width", "height"])
    sides: NDArray[np.int64] = np.stack([table["width"].to_numpy(), table["height"].to_numpy()]).astype(np.int64)
    shorter: NDArray[np.int64] = sides.min(0)
    return shorter
