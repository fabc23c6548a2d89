"""Multinomial logistic regression: a linear head on embeddings, fitted in NumPy.

scikit-learn fits the same to three digits, and the tests hold it to that; with SciPy it would add 150 MB to an
installation for these eighty lines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from artnet.hardware import processor_count
from artnet.metrics.classification import softmax

R = TypeVar("R")
Floats = NDArray[np.float64]
PENALTY = 0.1  # the best of 0.001 to 1 by log loss out of fold, for 12,000 paintings and embeddings of 1,280 numbers
_ITERATIONS = 200
_TOLERANCE = 1e-5  # of the gradient's largest element: the scores are right to three digits
_HISTORY = 10  # pairs that the curvature is estimated from
_SUFFICIENT_DECREASE = 1e-4
_SMALLEST_STEP = 1e-10
_RIDGE = 0.1  # of the mean second moment: keeps directions that few paintings take from costing nothing

Objective = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True)
class LogisticRegression:
    """A linear head: the logits are `embeddings @ weight + bias`.

    Attributes:
        weight: (E, C)
        bias: (C,)
    """

    weight: Floats
    bias: Floats

    def scores(self, embeddings: NDArray[np.floating]) -> Floats:
        """Return the softmax scores (N, C) of embeddings (N, E)."""
        return softmax(embeddings @ self.weight + self.bias)


def fit_logistic_regression(
    embeddings: NDArray[np.floating],
    labels: NDArray[np.int64],
    classes: int,
    balanced: bool = False,
    penalty: float = PENALTY,
) -> LogisticRegression:
    """Return the head with the least mean cross-entropy plus a penalty on its weights.

    Embeddings are first brought to mean 0 and variance 1; the head returned takes them as they are. The penalty is half
    of `penalty` times the sum of the squared weights, without the biases (Hastie et al., "The elements of statistical
    learning", 2009, equation 4.31): scikit-learn's C is 1 / (N * penalty).

    Args:
        embeddings: (N, E)
        labels: (N,) from 0 to C - 1
        classes: the number C; a class without a label is predicted by none
        balanced: whether each class counts as much as another, whatever its number of labels
        penalty: above 0
    """
    centre = embeddings.mean(0, np.float64)
    inputs = (embeddings - centre.astype(np.float32)).astype(np.float32, copy=False)  # (N, E)
    spread = np.sqrt(np.einsum("ij,ij->j", inputs, inputs, dtype=np.float64) / len(inputs))
    spread[spread == 0] = 1
    inputs /= spread.astype(np.float32)
    basis = None
    if len(inputs) < inputs.shape[1] / 4:  # the best weights are sums of the inputs (Kimeldorf and Wahba, 1971)
        basis = np.linalg.qr(inputs.T)[0]  # (E, N), orthonormal, so that the penalty stays what it is
        inputs = inputs @ basis
    counts = np.bincount(labels, minlength=classes)
    weights = 1 / (counts[labels] * (counts > 0).sum()) if balanced else np.full(len(labels), 1 / len(labels))
    targets = np.eye(classes)[labels]  # (N, C)

    def objective(parameters: Floats) -> tuple[float, Floats]:
        matrix = parameters.reshape(-1, classes)
        weight, bias = matrix[:-1], matrix[-1]
        logits = inputs @ weight.astype(np.float32) + bias
        shifted = logits - logits.max(1, keepdims=True)
        log_scores = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
        residuals = (np.exp(log_scores) - targets) * weights[:, None]
        loss = -(log_scores[np.arange(len(labels)), labels] * weights).sum() + penalty / 2 * (weight**2).sum()
        gradient = inputs.T @ residuals.astype(np.float32) + penalty * weight
        return float(loss), np.vstack([gradient, residuals.sum(0)]).ravel()

    matrix = minimise(objective, np.zeros((inputs.shape[1] + 1) * classes)).reshape(-1, classes)
    weight = (matrix[:-1] if basis is None else basis @ matrix[:-1]) / spread[:, None]
    return LogisticRegression(weight, matrix[-1] - centre @ weight)


def out_of_fold_logits(
    embeddings: NDArray[np.floating],
    labels: NDArray[np.int64],
    classes: int,
    folds: NDArray[np.int64],
    balanced: bool = False,
    penalty: float = PENALTY,
) -> Floats:
    """Return the logits (N, C) of each embedding by a head that was fitted without its fold.

    Args:
        embeddings: (N, E)
        labels: (N,) from 0 to C - 1
        classes: the number C
        folds: (N,)
        balanced: see `fit_logistic_regression`
        penalty: above 0
    """
    logits = np.zeros((len(labels), classes))

    def fill(held_out: NDArray[np.bool_]) -> None:
        head = fit_logistic_regression(embeddings[~held_out], labels[~held_out], classes, balanced, penalty)
        logits[held_out] = embeddings[held_out] @ head.weight + head.bias

    map_folds(fill, folds)
    return logits


def map_folds(work: Callable[[NDArray[np.bool_]], R], folds: NDArray[np.int64], first: int | None = None) -> list[R]:
    """Return what `work` returns for each fold, computed in threads.

    Args:
        work: called with a mask (N,), true where the fold is
        folds: (N,)
        first: the number of folds that are computed; None computes all
    """
    with ThreadPoolExecutor(processor_count()) as pool:
        return list(pool.map(work, [folds == fold for fold in np.unique(folds)[:first]]))


def adapt_logistic_regression(
    prior: LogisticRegression,
    embeddings: NDArray[np.floating],
    labels: NDArray[np.int64],
    penalty: float,
    remembered: NDArray[np.floating],
) -> LogisticRegression:
    """Return the head with the least mean cross-entropy plus a penalty on how far it moves from another head.

    That is the most probable head under a Gaussian prior around the other (Bishop, "Pattern recognition and machine
    learning", 2006, section 4.5.1). The distance is the mean squared change of the logits of `remembered`, so that the
    head is free where those do not vary: elastic weight consolidation (Kirkpatrick et al., "Overcoming catastrophic
    forgetting in neural networks", 2017) with the second moments of the inputs in place of the Fisher information.

    Args:
        prior: weight (E, C) and bias (C,)
        embeddings: (N, E)
        labels: (N,) from 0 to C - 1
        penalty: above 0; half of it times the distance is added
        remembered: (M, E) embeddings on which the head should stay as it is
    """
    kept = np.hstack([remembered, np.ones((len(remembered), 1))]).astype(np.float64)  # (M, E + 1), for the biases
    moments = kept.T @ kept / len(kept)
    moments += _RIDGE * np.trace(moments) / len(moments) * np.eye(len(moments))
    factor = np.linalg.cholesky(moments)  # in coordinates divided by it, the distance is the Euclidean one
    inputs = np.linalg.solve(factor, np.hstack([embeddings, np.ones((len(embeddings), 1))]).T).T
    start = factor.T @ np.vstack([prior.weight, prior.bias])
    targets = np.eye(len(prior.bias))[labels]

    def objective(moves: Floats) -> tuple[float, Floats]:
        matrix = moves.reshape(start.shape)
        scores = softmax(inputs @ (start + matrix))
        loss = -np.log(np.maximum(scores[np.arange(len(labels)), labels], 1e-300)).mean()
        gradient = inputs.T @ (scores - targets) / len(labels) + penalty * matrix
        return float(loss + penalty / 2 * (matrix**2).sum()), gradient.ravel()

    moved = start + minimise(objective, np.zeros(start.size)).reshape(start.shape)
    matrix = np.linalg.solve(factor.T, moved)
    return LogisticRegression(matrix[:-1], matrix[-1])


def minimise(objective: Objective, start: Floats) -> Floats:
    """Return where a smooth convex function is least, by L-BFGS with backtracking.

    Nocedal and Wright, "Numerical optimization", 2006, algorithms 7.4 and 7.5.

    Args:
        objective: from a point (D,) to the function's value and gradient (D,)
        start: (D,)
    """
    point, (value, gradient) = start, objective(start)
    history: deque[tuple[Floats, Floats]] = deque(maxlen=_HISTORY)
    for _ in range(_ITERATIONS):
        if np.abs(gradient).max() <= _TOLERANCE:
            break
        direction = -_times_inverse_hessian(gradient, history)
        slope = gradient @ direction
        step = 1.0 if history else min(1.0, 1 / float(np.linalg.norm(gradient)))
        new_value, new_gradient = objective(point + step * direction)
        while new_value > value + _SUFFICIENT_DECREASE * step * slope:
            step /= 2
            if step < _SMALLEST_STEP:  # as near as the rounding of float32 lets one come
                return point
            new_value, new_gradient = objective(point + step * direction)
        history.append((step * direction, new_gradient - gradient))
        point, value, gradient = point + step * direction, new_value, new_gradient
    return point


def _times_inverse_hessian(gradient: Floats, history: deque[tuple[Floats, Floats]]) -> Floats:
    """Return the estimated inverse Hessian times a gradient, from moves and the changes of the gradient they made."""
    result = gradient.copy()
    shares = []
    for move, change in reversed(history):
        share = (move @ result) / (move @ change)
        shares.append(share)
        result -= share * change
    if history:
        move, change = history[-1]
        result *= (move @ change) / (change @ change)
    for (move, change), share in zip(history, reversed(shares), strict=True):
        result += (share - (change @ result) / (move @ change)) * move
    return result
