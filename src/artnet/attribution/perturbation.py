"""Attribution by perturbing the view: occlusion, RISE and Score-CAM, which need no gradients.

What is masked becomes 0, the mean colour of the normalised view.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Resampling

from artnet.imaging.encode import resize_grid
from artnet.metrics.classification import softmax

Floats = NDArray[np.float32]
ScoreFunction = Callable[[Floats], NDArray[np.floating]]  # views (N, 3, S, S) to scores (N,)

_SQUARE_SHARE = 1 / 7  # of the side: as large as a cell of the deepest layers
_RISE_CELLS = 7
_RISE_KEPT = 0.5


def occlusion(score: ScoreFunction, view: Floats, steps: int = 13) -> Floats:
    """Cover the view by a square at steps x steps positions and measure how much the score falls.

    Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014, section 4.2.

    Args:
        score: of the target
        view: normalised, (3, S, S)
        steps: positions of the square along each side

    Returns:
        (steps, steps), signed; each cell averages the squares that cover its middle
    """
    size = view.shape[-1]
    side = max(1, round(size * _SQUARE_SHARE))
    starts = np.linspace(0, size - side, steps).round().astype(int)
    middles = (np.arange(steps) + 0.5) * size / steps
    covers = (starts[:, None] <= middles) & (middles < starts[:, None] + side)  # (square, cell)
    covers |= np.eye(steps, dtype=bool)  # where squares leave gaps, the nearest one counts
    intact = float(score(view[None])[0])
    drops = np.zeros((steps, steps))
    for row, top in enumerate(starts):
        occluded = np.repeat(view[None], steps, axis=0)
        for column, left in enumerate(starts):
            occluded[column, :, top : top + side, left : left + side] = 0
        drops[row] = intact - score(occluded)
    shares = covers / covers.sum(0)
    result: Floats = (shares.T @ drops @ shares).astype(np.float32)
    return result


def rise(score: ScoreFunction, view: Floats, masks: int, rng: np.random.Generator, batch: int = 16) -> Floats:
    """Average random masks, each weighted by the score of the view under it.

    Petsiuk et al., "RISE: randomized input sampling for explanation of black-box models", 2018, equation 6:
    S = sum(f(I * M) M) / (N E[M]), masks of 7 x 7 cells enlarged and shifted at random (section 3.2). The mean score,
    which is what S is at a cell of no importance, is subtracted, and E[M] is the masks' own mean at each cell.

    Args:
        score: of the target
        view: normalised, (3, S, S)
        masks: N
        rng: source of the masks
        batch: masks scored together

    Returns:
        (56, 56), signed; 0 where a cell does not matter
    """
    size, grid = view.shape[-1], 8 * _RISE_CELLS
    weighted, total, score_sum = np.zeros((grid, grid)), np.zeros((grid, grid)), 0.0
    for first in range(0, masks, batch):
        large = np.stack([_rise_mask(size, rng) for _ in range(min(batch, masks - first))])  # (B, S, S)
        scores = np.asarray(score(view[None] * large[:, None]), np.float64)
        small = np.stack([resize_grid(mask, (grid, grid), Resampling.BILINEAR) for mask in large])
        weighted += np.einsum("b,bhw->hw", scores, small)
        total += small.sum(0)
        score_sum += float(scores.sum())
    return (weighted / np.maximum(total, 1e-9) - score_sum / max(masks, 1)).astype(np.float32)


def score_cam(logit: ScoreFunction, view: Floats, activation: Floats, channels: int) -> Floats:
    """Weight each channel by the logit of the view seen through it.

    Wang et al., "Score-CAM: score-weighted visual explanations for convolutional neural networks", 2020, equations 6
    to 8: masks are the enlarged activations scaled to 0..1, weights the softmax of the logits over the channels, the
    map ReLU(sum_k alpha_k A_k).

    Args:
        logit: of the target; not its softmax
        view: normalised, (3, S, S)
        activation: (K, h, w)
        channels: how many of the strongest mean activation take part; all 1,280 of a deep layer would cost as many
            forward passes

    Returns:
        (h, w), at least 0
    """
    size = view.shape[-1]
    strongest = activation[np.argsort(-activation.mean((1, 2)), kind="stable")[:channels]]
    strongest = strongest[strongest.max((1, 2)) > strongest.min((1, 2))]  # a constant channel masks nothing
    if not len(strongest):
        return np.zeros(activation.shape[1:], np.float32)
    logits = np.zeros(len(strongest))
    for index, channel in enumerate(strongest):
        mask = (channel - channel.min()) / (channel.max() - channel.min())
        logits[index] = logit((view * resize_grid(mask, (size, size), Resampling.BILINEAR))[None])[0]
    result: Floats = np.maximum(np.einsum("k,khw->hw", softmax(logits), strongest), 0).astype(np.float32)
    return result


def _rise_mask(size: int, rng: np.random.Generator) -> Floats:
    """Keep or drop cells at random, enlarge them smoothly and crop at a random shift; (S, S)."""
    cell = -(-size // _RISE_CELLS)
    cells = (rng.random((_RISE_CELLS + 1, _RISE_CELLS + 1)) < _RISE_KEPT).astype(np.float32)
    side = (_RISE_CELLS + 1) * cell
    top, left = rng.integers(0, cell, 2)
    return resize_grid(cells, (side, side), Resampling.BILINEAR)[top : top + size, left : left + size]
