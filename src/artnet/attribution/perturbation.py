"""Find evidence by changing the picture and watching the answer: occlusion, RISE, Score-CAM.

Knows nothing about networks: views (N, 3, S, S) go into a function, scores (N,) come out; no gradient is needed.
What is taken away becomes 0, the mean colour of the normalised input.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Score = Callable[[Floats], NDArray[np.floating]]

OCCLUDED_SHARE = 1 / 7  # of the side: as large as a cell of the deepest layers
_RISE_CELLS = 7
_RISE_KEPT = 0.5


def occlusion(score: Score, view: Floats, steps: int = 13) -> Floats:
    """Cover the view (3, S, S) by a square at steps x steps places; evidence is how much the score falls, signed.

    Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014, section 4.2. The map is
    (steps, steps): each cell averages the squares that cover its middle.
    """
    size = view.shape[-1]
    side = max(1, round(size * OCCLUDED_SHARE))
    starts = np.linspace(0, size - side, steps).round().astype(int)
    middles = (np.arange(steps) + 0.5) * size / steps
    covers = (starts[:, None] <= middles) & (middles < starts[:, None] + side)  # (square, cell)
    covers |= np.eye(steps, dtype=bool)  # where squares leave gaps, the nearest one speaks
    before = float(score(view[None])[0])
    falls = np.zeros((steps, steps))
    for row, top in enumerate(starts):
        covered = np.repeat(view[None], steps, axis=0)
        for column, left in enumerate(starts):
            covered[column, :, top : top + side, left : left + side] = 0
        falls[row] = before - score(covered)
    shares = covers / covers.sum(0)
    result: Floats = (shares.T @ falls @ shares).astype(np.float32)
    return result


def rise(score: Score, view: Floats, masks: int, rng: np.random.Generator, batch: int = 16) -> Floats:
    """Average random masks by the score that the view keeps under each; (56, 56), signed, 0 where a place is neutral.

    Petsiuk et al., "RISE: randomized input sampling for explanation of black-box models", 2018, equation 6:
    S = sum(f(I * M) M) / (N E[M]), masks of 7 x 7 cells enlarged and shifted at random (section 3.2). The mean score,
    which is what S is at a place of no importance, is taken away, and E[M] is the masks' own mean at each place.
    """
    size, grid = view.shape[-1], 8 * _RISE_CELLS
    weighted, total, scores = np.zeros((grid, grid)), np.zeros((grid, grid)), 0.0
    for first in range(0, masks, batch):
        drawn = np.stack([_rise_mask(size, rng) for _ in range(min(batch, masks - first))])  # (B, S, S)
        found = np.asarray(score(view[None] * drawn[:, None]), np.float64)
        small = np.stack([_resized(mask, grid) for mask in drawn])
        weighted += np.einsum("b,bhw->hw", found, small)
        total += small.sum(0)
        scores += float(found.sum())
    result: Floats = (weighted / np.maximum(total, 1e-9) - scores / max(masks, 1)).astype(np.float32)
    return result


def score_cam(score: Score, view: Floats, activation: Floats, channels: int) -> Floats:
    """Weigh each channel by the score of the view seen through it; (h, w), at least 0.

    Wang et al., "Score-CAM: score-weighted visual explanations for convolutional neural networks", 2020, equations 6
    to 8: masks are the enlarged activations scaled to 0..1, weights the softmax of the scores over the channels, the
    map ReLU(sum_k alpha_k A_k). Only the `channels` of the strongest mean activation take part: all 1,280 of a deep
    layer would cost as many forward passes. The scores must be logits, not probabilities.
    """
    size = view.shape[-1]
    order = np.argsort(-activation.mean((1, 2)), kind="stable")[:channels]
    chosen = activation[order]
    spread = chosen.max((1, 2)) - chosen.min((1, 2))
    chosen = chosen[spread > 0]  # a constant channel masks nothing
    if not len(chosen):
        return np.zeros(activation.shape[1:], np.float32)
    scores = np.zeros(len(chosen))
    for index, channel in enumerate(chosen):
        mask = _resized((channel - channel.min()) / (channel.max() - channel.min()), size)
        scores[index] = score((view * mask)[None])[0]
    weights = np.exp(scores - scores.max())
    result: Floats = np.maximum(np.einsum("k,khw->hw", weights / weights.sum(), chosen), 0).astype(np.float32)
    return result


def _rise_mask(size: int, rng: np.random.Generator) -> Floats:
    """Draw cells that are kept or not, enlarge them smoothly and cut a view out at a random shift; (S, S)."""
    cell = -(-size // _RISE_CELLS)
    cells = (rng.random((_RISE_CELLS + 1, _RISE_CELLS + 1)) < _RISE_KEPT).astype(np.float32)
    large = _resized(cells, (_RISE_CELLS + 1) * cell)
    top, left = rng.integers(0, cell, 2)
    return large[top : top + size, left : left + size]


def _resized(values: Floats, side: int) -> Floats:
    image = Image.fromarray(np.ascontiguousarray(values, np.float32))
    result: Floats = np.asarray(image.resize((side, side), Image.Resampling.BILINEAR), np.float32)
    return result
