"""Out-of-distribution detection: how far an embedding lies from those of the training data."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artnet.errors import ModelError, reason
from artnet.metrics.classification import sigmoid

Floats = NDArray[np.float32]
DIRECTIONS = 128  # measured: from 64 to 512 no AUROC against photographs changes by more than 0.01
OUTLIER_PENALTY = 300.0  # of the logistic regression; measured in docs/model.md
_NEWTON_STEPS = 30
_SHAPES = {"means": 2, "directions": 2, "variances": 1, "rest": 0}
_OUTLIER_SHAPES = {"outlier_weights": 1, "outlier_bias": 0}


@dataclass(frozen=True)
class OodDetector:
    """The training data in embedding space (E,): one Gaussian for each of M movements, with one covariance for all.

    The OOD score is the Mahalanobis distance to the nearest movement: Lee et al., "A simple unified framework for
    detecting out-of-distribution samples and adversarial attacks", 2018, equations 1 and 2. The embeddings are first
    scaled to length 1: Mueller and Hein, "Mahalanobis++: improving OOD detection via feature normalization", 2025. The
    covariance is kept as its strongest directions and one variance for all others: Tipping and Bishop, "Probabilistic
    principal component analysis", 1999, equation 8. That is a twentieth of the whole matrix and can be inverted
    whatever the number of paintings.

    A detector that has seen outliers also has a linear term that tells them from paintings, and the score is the larger
    of the two (outlier exposure: Hendrycks et al., "Deep anomaly detection with outlier exposure", 2019, on embeddings
    alone). So what is far away and what resembles an outlier are unfamiliar alike.

    Attributes:
        means: (M, E) float32
        directions: (K, E) float32, of length 1
        variances: (K,) float32, along the directions
        rest: variance along all others
        outlier_weights: (E,) float32 of the linear term; None without outliers
        outlier_bias: of the linear term
    """

    means: Floats
    directions: Floats
    variances: Floats
    rest: float
    outlier_weights: Floats | None = None
    outlier_bias: float = 0.0

    def ood_score(self, embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return how unlike the training paintings embeddings (N, E) are, (N,), in standard deviations."""
        distances = self.distance(embeddings)
        if self.outlier_weights is None:
            return distances
        result: NDArray[np.float64] = np.maximum(
            distances, _unit(embeddings) @ self.outlier_weights + self.outlier_bias
        )
        return result

    def sample(self, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return embeddings (N, E) of length near 1 that are drawn from the Gaussians, from each movement alike."""
        means = self.means[np.arange(count) % len(self.means)]
        beside = rng.standard_normal(means.shape) * np.sqrt(self.rest)
        beside -= beside @ self.directions.T @ self.directions
        along = rng.standard_normal((count, len(self.variances))) * np.sqrt(self.variances)
        result: NDArray[np.float64] = means + along @ self.directions + beside
        return result

    def distance(self, embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the distance of embeddings (N, E) from the nearest movement, in standard deviations; (N,)."""
        units = _unit(embeddings)
        offsets = units[:, None] - self.means  # (N, M, E)
        projected = units.astype(np.float32) @ self.directions.T  # (N, K): the large matrix is read once, not M times
        along = projected[:, None].astype(np.float64) - self._projected_means  # (N, M, K)
        beside = np.maximum((offsets**2).sum(-1) - (along**2).sum(-1), 0)
        squares = (along**2 / self.variances).sum(-1) + beside / self.rest
        result: NDArray[np.float64] = np.sqrt(squares.min(-1))
        return result

    @cached_property
    def _projected_means(self) -> NDArray[np.float64]:
        """Return the means along the directions, (M, K)."""
        return self.means.astype(np.float64) @ self.directions.T.astype(np.float64)


def fit_ood_detector(
    embeddings: NDArray[np.floating], movements: NDArray[np.int64], directions: int = DIRECTIONS
) -> OodDetector:
    """Return the detector of embeddings (N, E) and their movements (N,).

    `directions` is the number K of those kept, fewer where E is smaller. The embeddings must not all be the same.
    """
    units = _unit(embeddings)
    present = np.unique(movements)
    means = np.stack([units[movements == movement].mean(0) for movement in present])
    residuals = units - means[np.searchsorted(present, movements)]
    variances, columns = _principal_directions(residuals)
    kept = min(directions, len(variances) - 1, len(residuals))
    smallest = max(float(variances[-1]), 1e-12) * 1e-6  # a direction along which no painting differs excludes nothing
    rest = max(float(variances[:-kept].mean()), smallest)
    strongest = np.maximum(variances[-kept:][::-1], rest)
    return OodDetector(
        means.astype(np.float32),
        np.ascontiguousarray(columns[:, -kept:][:, ::-1].T, dtype=np.float32),
        strongest.astype(np.float32),
        rest,
    )


def expose_to_outliers(
    detector: OodDetector, paintings: NDArray[np.floating], outliers: Sequence[NDArray[np.floating]]
) -> OodDetector:
    """Return the detector with a linear term that tells paintings from outliers.

    A logistic regression on the embeddings along the detector's directions, each scaled to one standard deviation.
    Paintings weigh as much as all outliers together, and each kind of outlier as much as any other. The logits of
    paintings get the mean and the spread of their distances, so that both count alike.

    Args:
        detector: of the same embeddings
        paintings: (N, E)
        outliers: (n, E) of each kind
    """
    centre = _unit(paintings).mean(0)
    scale = detector.directions.astype(np.float64) / np.sqrt(detector.variances)[:, None]  # (K, E)
    groups = [paintings, *outliers]
    inputs = [(_unit(group) - centre) @ scale.T for group in groups]
    shares = [0.5, *[0.5 / len(outliers)] * len(outliers)]
    weights = [
        np.full(len(group), len(paintings) * share / len(group)) for group, share in zip(groups, shares, strict=True)
    ]
    labels = [np.full(len(group), float(index > 0)) for index, group in enumerate(groups)]
    slopes = logistic_regression(np.concatenate(inputs), np.concatenate(labels), np.concatenate(weights))
    logits, distances = inputs[0] @ slopes, detector.distance(paintings)
    spread = float(distances.std() / max(logits.std(), 1e-12))
    linear = spread * slopes @ scale  # (E,)
    bias = float(distances.mean() - spread * logits.mean() - centre @ linear)
    return replace(detector, outlier_weights=linear.astype(np.float32), outlier_bias=bias)


def logistic_regression(
    inputs: NDArray[np.float64], labels: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the slopes (K,) of a logistic regression with an intercept and an L2 penalty, by Newton's method.

    Bishop, "Pattern recognition and machine learning", 2006, section 4.3.3 (iteratively reweighted least squares).

    Args:
        inputs: (N, K)
        labels: (N,) 0 or 1
        weights: (N,)
    """
    columns = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)
    penalty = np.diag([*[OUTLIER_PENALTY] * inputs.shape[1], 1e-6])
    slopes = np.zeros(columns.shape[1])
    for _ in range(_NEWTON_STEPS):
        scores = sigmoid(columns @ slopes)
        gradient = columns.T @ (weights * (scores - labels)) + penalty @ slopes
        hessian = (columns.T * (weights * scores * (1 - scores))) @ columns + penalty
        step = np.linalg.solve(hessian, gradient)
        slopes = slopes - step
        if np.abs(step).max() < 1e-6:
            break
    result: NDArray[np.float64] = slopes[:-1]
    return result


def _principal_directions(residuals: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the variances (E,) of residuals (N, E), ascending, and their strongest directions as columns (E, K).

    Of fewer residuals than dimensions, the matrix of their own products (N, N) has the same variances besides zeros:
    Bishop, "Pattern recognition and machine learning", 2006, section 12.1.4. For 32 of 1,280 that is 500 times faster.
    """
    count, dimensions = residuals.shape
    if count >= dimensions:
        return np.linalg.eigh(residuals.T @ residuals / count)
    variances, mixtures = np.linalg.eigh(residuals @ residuals.T / count)
    columns = residuals.T @ mixtures
    columns /= np.maximum(np.linalg.norm(columns, axis=0), 1e-12)
    return np.concatenate([np.zeros(dimensions - count), np.maximum(variances, 0)]), columns


def write_ood_detector(path: Path, detector: OodDetector) -> None:
    """Write a detector as a NumPy archive of numbers only."""
    with path.open("wb") as file:
        names = _SHAPES if detector.outlier_weights is None else _SHAPES | _OUTLIER_SHAPES
        np.savez(file, allow_pickle=False, **{name: np.float32(getattr(detector, name)) for name in names})


def read_ood_detector(path: Path) -> OodDetector:
    """Read a detector; nothing in the file is executed. Raise `ModelError` for anything but its arrays."""
    try:
        with np.load(path, allow_pickle=False) as file:
            shapes = _SHAPES | _OUTLIER_SHAPES if "outlier_weights" in file else _SHAPES
            arrays = {name: np.asarray(file[name], np.float32) for name in shapes}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path}: is not a file of numbers ({reason(error)}); copy or export the model again"
        ) from error
    means, directions, variances, rest = (arrays[name] for name in _SHAPES)
    weights = arrays.get("outlier_weights")
    consistent = (
        all(arrays[name].ndim == dimensions and np.isfinite(arrays[name]).all() for name, dimensions in shapes.items())
        and means.shape[1] == directions.shape[1]
        and len(directions) == len(variances)
        and (variances > 0).all()
        and rest > 0
        and (weights is None or weights.shape == means.shape[1:])
    )
    if not consistent:
        raise ModelError(f"{path}: its arrays contradict each other; copy or export the model again")
    return OodDetector(means, directions, variances, float(rest), weights, float(arrays.get("outlier_bias", 0.0)))


def _unit(embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
    wide = np.asarray(embeddings, np.float64)
    result: NDArray[np.float64] = wide / np.maximum(np.linalg.norm(wide, axis=-1, keepdims=True), 1e-12)
    return result
