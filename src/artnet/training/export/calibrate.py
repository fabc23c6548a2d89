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
from artnet.evaluation.calibration import FAMILIAR_SHARE, MAX_FITTED, fit_calibration
from artnet.evaluation.predictions import stored_view
from artnet.imaging.views import REGIONS, VIEWS, WHOLE, View
from artnet.metrics.calibration import negative_log_likelihood, threshold_for_precision
from artnet.model.config import OOD_METHODS, Calibration, OodSettings, Preprocessing
from artnet.model.engine import STYLES, Engine
from artnet.model.ood import OodDetector, expose_to_outliers, fit_ood_detector
from artnet.model.prediction import style_scores, vote
from artnet.model.preprocessing import network_input
from artnet.taxonomy import index_styles
from artnet.training.export.outliers import outlier_views, synthetic_views
from artnet.training.export.synthetic import KINDS

STYLE_PRECISION = 0.8  # of the styles that are called likely
MIN_LARGE_PAINTINGS = 200  # on which to choose the views' weights
MIN_COLLECTION = 100  # paintings of a collection for a quantile of its own
MIN_NATURAL = 100  # paintings at their natural aspect ratio, to choose thresholds on them alone
ONE_SHAPE = 0.9  # share of a collection's paintings with one aspect ratio, from which on they were stretched or cropped

Floats = NDArray[np.floating]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FittedSettings:
    """Everything that validation decides; `ood.sha256` is added once the detector is written."""

    view_weights: dict[str, float]
    calibration: Calibration
    style_thresholds: dict[str, float] | None
    detector: OodDetector
    ood: OodSettings


@dataclass(frozen=True)
class ExportedNetwork:
    """An exported graph in an engine, the preprocessing of its views, and the names of its styles."""

    engine: Engine
    preprocessing: Preprocessing
    styles: tuple[str, ...] = ()

    def run(self, views: Sequence[View], *outputs: str) -> dict[str, Floats]:
        """Compute the named outputs, and the logits of styles where there are any."""
        names = [*outputs, *([STYLES] if self.styles else [])]
        return dict(self.engine.run(network_input(views, self.preprocessing), None, names))


@dataclass(frozen=True)
class _WholeViews:
    """Outputs for whole views, and what the dataset knows of their paintings."""

    logits: Floats  # (N, C)
    embeddings: Floats  # (N, E)
    movements: NDArray[np.int64]  # (N,)
    collections: tuple[str, ...]
    style_names: tuple[str, ...]  # of the paintings, as their collections spell them
    styles: Floats | None  # (N, K) logits


def calibrate(
    network: ExportedNetwork,
    data: Path,
    outliers: Sequence[str] = (),
    progress: Progress = lambda done, total: None,
) -> FittedSettings:
    """Run a network on the train and validation splits of `data` and fit everything that they decide.

    The OOD detector also learns to tell paintings from images drawn by code and from `outliers`, folders of others.
    Regions are computed only where enough validation paintings are large enough for them to add information.
    """
    val_rows, train_rows = count_rows(data, "val"), min(count_rows(data, "train"), MAX_FITTED)
    total = val_rows + train_rows
    val = _run_whole_views(network, data, "val", val_rows, lambda done: progress(done, total))
    train = _run_whole_views(network, data, "train", train_rows, lambda done: progress(val_rows + done, total))
    large = np.flatnonzero(np.minimum(*_sizes(data)) >= 2 * network.preprocessing.size_px)
    weights = view_weights(0.0)
    if len(large) >= MIN_LARGE_PAINTINGS:
        weights = choose_view_weights(_run_all_views(network, data, large)[0], val.movements[large])
    logits, styles = val.logits[:, None], None if val.styles is None else val.styles[:, None]  # (N, 1, C), (N, 1, K)
    shares = [1.0]
    if weights[WHOLE] < 1:
        logits, styles = _run_all_views(network, data, np.arange(val_rows))
        shares = [weights[name] for name in VIEWS]
    natural = natural_paintings(*_sizes(data), val.collections)
    named = [name for name, kept in zip(val.style_names, natural, strict=True) if kept]
    exposed = _run_outliers(network, outliers, train.style_names)
    detector = expose_to_outliers(
        fit_ood_detector(train.embeddings, train.movements), train.embeddings, list(exposed.values())
    )
    threshold = ood_threshold(detector.ood_score(val.embeddings), val.collections)
    return FittedSettings(
        weights,
        fit_calibration(logits, shares, val.movements, natural),
        fit_style_thresholds(style_scores(styles, shares)[natural], index_styles(named, network.styles), network.styles)
        if styles is not None
        else None,
        detector,
        OodSettings(OOD_METHODS[1], round(threshold, 4), FAMILIAR_SHARE, "", tuple(exposed)),
    )


def fit_style_thresholds(
    scores: NDArray[np.float64], y_true: NDArray[np.int64], names: Sequence[str]
) -> dict[str, float]:
    """Return each style's threshold, from which on four of five paintings have it; none for one that never gets there.

    Args:
        scores: (N, K) of natural paintings
        y_true: (N,) indices of their styles among `names`; paintings with -1 tell nothing
        names: (K,)
    """
    known = y_true >= 0
    found = {
        name: threshold_for_precision(y_true[known] == index, scores[known, index], STYLE_PRECISION)
        for index, name in enumerate(names)
    }
    return {
        name: math.ceil(threshold.value * 1e4) / 1e4
        for name, threshold in found.items()
        if threshold is not None and threshold.bound >= STYLE_PRECISION
    }


def natural_paintings(
    widths: NDArray[np.int64], heights: NDArray[np.int64], collections: Sequence[str]
) -> NDArray[np.bool_]:
    """Return which paintings (N,) come from collections that kept their aspect ratios; all, where those are too few.

    Users show paintings as they are, and a collection that was stretched to one shape is easier or harder than that.
    """
    ratios, names = (widths / heights).round(2), np.array(collections)
    natural = np.zeros(len(names), bool)
    for name in np.unique(names):
        members = names == name
        natural[members] = np.unique(ratios[members], return_counts=True)[1].max() < ONE_SHAPE * members.sum()
    return natural if natural.sum() >= MIN_NATURAL else np.ones(len(names), bool)


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
    outputs, known = [], []
    for row in spread_rows(data, split, ["movement", "source", "style", "whole"], rows):
        outputs.append(network.run([stored_view(row, WHOLE)], "logits", "embedding"))
        known.append((row["movement"], collection_of(row["source"]), row["style"]))
        progress(len(outputs))
    movements, collections, style_names = zip(*known, strict=True)
    return _WholeViews(
        np.concatenate([each["logits"] for each in outputs]),
        np.concatenate([each["embedding"] for each in outputs]),
        np.array(movements, np.int64),
        collections,
        style_names,
        np.concatenate([each[STYLES] for each in outputs]) if network.styles else None,
    )


def _run_outliers(network: ExportedNetwork, folders: Sequence[str], styles: Sequence[str]) -> dict[str, Floats]:
    """Return the embeddings (n, E) of the outliers of each folder, and of each kind that is drawn by code."""
    short = {folder: Path(folder).name or folder for folder in folders}
    names = short if len(set(short.values())) == len(short) else {folder: folder for folder in folders}
    views = {names[folder]: outlier_views(folder, network.preprocessing, styles) for folder in folders}
    views |= {f"drawn {kind}": synthetic_views(kind, network.preprocessing) for kind in KINDS}
    return {
        name: np.concatenate([network.run([view], "embedding")["embedding"] for view in each])
        for name, each in views.items()
    }


def _run_all_views(network: ExportedNetwork, data: Path, rows: NDArray[np.int64]) -> tuple[Floats, Floats | None]:
    """Return the logits (N, 6, C) of all views of some validation paintings, and those of styles (N, 6, K)."""
    chosen, outputs = set(rows.tolist()), []
    for index, row in enumerate(iterate_rows(data, "val", ["whole", "regions"])):
        if index in chosen:
            outputs.append(network.run([stored_view(row, name) for name in VIEWS], "logits"))
    styles = np.stack([each[STYLES] for each in outputs]) if network.styles else None
    return np.stack([each["logits"] for each in outputs]), styles


def _sizes(data: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the validation paintings' widths (N,) and heights (N,) in pixels."""
    table = read_columns(data, "val", ["width", "height"])
    return table["width"].to_numpy().astype(np.int64), table["height"].to_numpy().astype(np.int64)
