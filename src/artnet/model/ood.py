"""Out-of-distribution detection: how far an embedding lies from those of the training data."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artnet.errors import ModelError, reason

Floats = NDArray[np.float32]
DIRECTIONS = 128  # measured: from 64 to 512 no AUROC against photographs changes by more than 0.01
_SHAPES = {"means": 2, "directions": 2, "variances": 1, "rest": 0}


@dataclass(frozen=True)
class OodDetector:
    """The training data in embedding space (E,): one Gaussian for each of M movements, with one covariance for all.

    The OOD score is the Mahalanobis distance to the nearest movement: Lee et al., "A simple unified framework for
    detecting out-of-distribution samples and adversarial attacks", 2018, equations 1 and 2. The embeddings are first
    scaled to length 1: Mueller and Hein, "Mahalanobis++: improving OOD detection via feature normalization", 2025. The
    covariance is kept as its strongest directions and one variance for all others: Tipping and Bishop, "Probabilistic
    principal component analysis", 1999, equation 8. That is a twentieth of the whole matrix and can be inverted
    whatever the number of paintings.

    Attributes:
        means: (M, E) float32
        directions: (K, E) float32, of length 1
        variances: (K,) float32, along the directions
        rest: variance along all others
    """

    means: Floats
    directions: Floats
    variances: Floats
    rest: float

    def ood_score(self, embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
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
    variances, columns = np.linalg.eigh(residuals.T @ residuals / len(residuals))
    kept = min(directions, len(variances) - 1)
    smallest = max(float(variances[-1]), 1e-12) * 1e-6  # a direction along which no painting differs excludes nothing
    rest = max(float(variances[:-kept].mean()), smallest)
    strongest = np.maximum(variances[-kept:][::-1], rest)
    return OodDetector(
        means.astype(np.float32),
        np.ascontiguousarray(columns[:, -kept:][:, ::-1].T, dtype=np.float32),
        strongest.astype(np.float32),
        rest,
    )


def write_ood_detector(path: Path, detector: OodDetector) -> None:
    """Write a detector as a NumPy archive of numbers only."""
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **{name: np.float32(getattr(detector, name)) for name in _SHAPES})


def read_ood_detector(path: Path) -> OodDetector:
    """Read a detector; nothing in the file is executed. Raise `ModelError` for anything but its arrays."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name], np.float32) for name in _SHAPES}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path}: is not a file of numbers ({reason(error)}); copy or export the model again"
        ) from error
    means, directions, variances, rest = arrays.values()
    consistent = (
        all(arrays[name].ndim == dimensions and np.isfinite(arrays[name]).all() for name, dimensions in _SHAPES.items())
        and means.shape[1] == directions.shape[1]
        and len(directions) == len(variances)
        and (variances > 0).all()
        and rest > 0
    )
    if not consistent:
        raise ModelError(f"{path}: its arrays contradict each other; copy or export the model again")
    return OodDetector(means, directions, variances, float(rest))


def _unit(embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
    wide = np.asarray(embeddings, np.float64)
    result: NDArray[np.float64] = wide / np.maximum(np.linalg.norm(wide, axis=-1, keepdims=True), 1e-12)
    return result
