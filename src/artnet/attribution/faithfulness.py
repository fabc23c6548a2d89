"""Ask whether a map shows what the network used: deletion, insertion, and a test with shuffled weights.

Knows nothing about paintings or drawing: maps (h, w), a normalised view (3, S, S) and a probe are enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from artnet.attribution.methods import Sampling, TargetScorer, evidence
from artnet.model.config import Layer

Floats = NDArray[np.float32]
Score = Callable[[Floats], NDArray[np.floating]]

STEPS = 8  # equal parts in which a view is deleted and inserted
CELLS = 14  # on a side: maps of any grid are compared at one fineness
# Adebayo et al. compare by eye and by rank correlation and set no limit. Half is generous: two maps of which one
# explains a quarter of the other's ranks still pass.
SAME_MAP = 0.5
_BLUR_SHARE = 1 / 22  # of the side; RISE's 5 px of deviation at 224 px with its kernel of 11 px is weaker


@dataclass(frozen=True)
class Baseline:
    """What random orders score on one view: areas under the curves of deletion and insertion, 0 to 1."""

    deletion: float
    insertion: float


@dataclass(frozen=True)
class Reference:
    """What every map of one view is held against: the ends of both curves, and two random orders."""

    intact: float
    deleted: float
    blurred: float
    cells: Baseline
    pixels: Baseline


@dataclass(frozen=True)
class Faithfulness:
    """Areas under the curves (0 to 1) of one map, and its gains over random orders of cells and of pixels.

    A faithful map has a low deletion and a high insertion; `gain` is the mean of what it wins over random cells.
    """

    deletion: float
    insertion: float
    gain: float
    gain_over_pixels: float


@dataclass(frozen=True)
class Verdict:
    """What became of one map: its faithfulness, and how its ranks correlate with the map of shuffled weights."""

    faithfulness: Faithfulness
    shuffled_correlation: float

    @property
    def passes(self) -> bool:
        """Say whether the map beats random cells and changes with the weights."""
        return self.faithfulness.gain > 0 and abs(self.shuffled_correlation) < SAME_MAP


def judge(
    probe: TargetScorer,
    view: Floats,
    method: str,
    layers: Sequence[Layer],
    sampling: Sampling,
    maps: Mapping[int, Floats],
) -> dict[int, Verdict]:
    """Judge a method's maps of one view, by depth.

    Adebayo et al., "Sanity checks for saliency maps", 2018, section 3: weights are shuffled in all layers at once, and
    a map that stays as it was has not looked at them.
    """
    gains = measure_all(probe, view, maps, STEPS, sampling.seed)
    other = TargetScorer(probe.engine.shuffled(sampling.seed), probe.target)
    contrary = evidence(other, view, method, layers, sampling)
    return {depth: Verdict(gains[depth], rank_correlation(maps[depth], contrary[depth])) for depth in maps}


def measure_all(
    probe: TargetScorer, view: Floats, maps: Mapping[int, Floats], steps: int, seed: int
) -> dict[int, Faithfulness]:
    """Measure maps of one view against the same random orders."""
    reference = random_orders(probe.score, view, steps, np.random.default_rng(seed))
    return {depth: measure(probe.score, view, grid, steps, reference) for depth, grid in maps.items()}


def measure(score: Score, view: Floats, grid: Floats, steps: int, reference: Reference) -> Faithfulness:
    """Delete and insert a view's cells (3, S, S), most evidence first, and watch the score.

    Petsiuk et al., "RISE", 2018, section 4.1: the area under the score as evidence is deleted (to the mean colour,
    0) or inserted (into a blurred copy), over `steps` equal parts of the view. `reference` comes from
    `random_orders`.
    """
    ends = (reference.intact, reference.deleted, reference.blurred)
    found = _areas(score, view, cell_order(grid, view.shape[-1]), steps, ends)
    gains = (_gain(found, random) for random in (reference.cells, reference.pixels))
    return Faithfulness(found.deletion, found.insertion, *gains)


def random_orders(score: Score, view: Floats, steps: int, rng: np.random.Generator) -> Reference:
    """Score a random order of cells and one of single pixels.

    Single pixels strewn over a painting destroy its texture sooner than any connected area: they are the paper's
    baseline, the cells the fair one.
    """
    size = view.shape[-1]
    cells = _spread(rng.permutation(CELLS * CELLS).reshape(CELLS, CELLS), size)
    pixels = rng.permutation(size * size).reshape(size, size)
    intact, deleted, gone = (float(value) for value in score(np.stack([view, np.zeros_like(view), blurred(view)])))
    ends = (intact, deleted, gone)
    return Reference(*ends, *(_areas(score, view, order, steps, ends) for order in (cells, pixels)))


def area(scores: NDArray[np.floating]) -> float:
    """Give the area under a curve whose points are equally spaced from 0 to 1, by trapezia."""
    values = np.asarray(scores, np.float64)
    return float((values[:-1] + values[1:]).sum() / 2 / (len(values) - 1))


def cell_order(grid: Floats, size: int) -> NDArray[np.intp]:
    """Rank the view's cells by evidence, 0 for the most, spread over their pixels (S, S); ties go by place."""
    image = Image.fromarray(np.ascontiguousarray(grid, np.float32))
    # A box over each cell when the map is finer, a straight line between its values when it is coarser.
    cells = np.asarray(image.resize((CELLS, CELLS), Image.Resampling.BILINEAR), np.float32)
    ranks = np.empty(CELLS * CELLS, np.intp)
    ranks[np.argsort(-cells.ravel(), kind="stable")] = np.arange(CELLS * CELLS)
    return _spread(ranks.reshape(CELLS, CELLS), size)


def rank_correlation(first: Floats, second: Floats) -> float:
    """Correlate the ranks of two maps of one size (Spearman); 0 where one of them is constant."""
    one, other = _ranks(first.ravel()), _ranks(second.ravel())
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _areas(
    score: Score, view: Floats, order: NDArray[np.intp], steps: int, ends: tuple[float, float, float]
) -> Baseline:
    """Delete and insert in the given order; the ends of the curves (intact, deleted, blurred) are known before."""
    intact, deleted, gone = ends
    limits = np.arange(1, steps) / steps * (order.max() + 1)
    taken = np.stack([order < limit for limit in limits])[:, None]  # (steps - 1, 1, S, S)
    falling = score(np.where(taken, np.float32(0), view[None]))
    rising = score(np.where(taken, view[None], blurred(view)[None]))
    return Baseline(area(np.array([intact, *falling, deleted])), area(np.array([gone, *rising, intact])))


def blurred(view: Floats) -> Floats:
    """Blur a view (3, S, S) until its strokes are gone."""
    radius = view.shape[-1] * _BLUR_SHARE
    return np.stack([_gaussian(channel, radius) for channel in view])


def _gaussian(channel: Floats, radius: float) -> Floats:
    """Blur one channel; Pillow's filter takes bytes, and what is being blurred away needs no finer steps."""
    low, high = float(channel.min()), float(channel.max())
    span = high - low or 1.0
    image = Image.fromarray(((channel - low) / span * 255).round().astype(np.uint8))
    found = np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32)
    result: Floats = found / np.float32(255) * np.float32(span) + np.float32(low)
    return result


def _gain(found: Baseline, random: Baseline) -> float:
    return ((random.deletion - found.deletion) + (found.insertion - random.insertion)) / 2


def _spread(cells: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    index = np.arange(size) * CELLS // size
    return cells[np.ix_(index, index)]


def _ranks(values: Floats) -> NDArray[np.float64]:
    """Rank values, equal ones by the mean of their places."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    result: NDArray[np.float64] = (ends - (counts + 1) / 2)[inverse]
    return result
