"""Whether a heatmap shows what the network uses: deletion, insertion, and a test with shuffled weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from PIL.Image import Resampling

from artnet.attribution.methods import AttributionOptions, TargetScorer, attribute
from artnet.attribution.perturbation import ScoreFunction
from artnet.imaging.encode import resize_grid

Floats = NDArray[np.float32]

STEPS = 8  # equal parts in which a view is deleted and inserted
CELLS = 14  # on a side: maps of any grid are compared at one fineness
# Adebayo et al. compare by eye and by rank correlation and set no limit. Half is generous: two maps of which one
# explains a quarter of the other's ranks still pass.
MAX_SHUFFLED_CORRELATION = 0.5
_BLUR_SHARE = 1 / 22  # of the side; RISE's 5 px of deviation at 224 px with its kernel of 11 px is weaker


@dataclass(frozen=True)
class CurveAreas:
    """Areas under the curves of deletion and insertion, 0 to 1."""

    deletion: float
    insertion: float


@dataclass(frozen=True)
class CurveEnds:
    """Scores where both curves begin and end: of the view, of the mean colour and of the blurred view."""

    intact: float
    deleted: float
    blurred: float


@dataclass(frozen=True)
class RandomBaseline:
    """What every heatmap of one view is compared with: the ends of its curves, and two random orders."""

    ends: CurveEnds
    cells: CurveAreas
    pixels: CurveAreas


@dataclass(frozen=True)
class Faithfulness:
    """Areas under the curves (0 to 1) of one heatmap, and its gains over random orders of cells and of pixels.

    A faithful heatmap has a low deletion and a high insertion; `gain` is the mean of both advantages over random cells.
    """

    deletion: float
    insertion: float
    gain: float
    gain_over_pixels: float


@dataclass(frozen=True)
class FaithfulnessResult:
    """How faithful one heatmap is, and the rank correlation with that of shuffled weights."""

    faithfulness: Faithfulness
    shuffled_correlation: float

    @property
    def passes(self) -> bool:
        """Whether the heatmap beats random cells and changes with the weights."""
        return self.faithfulness.gain > 0 and abs(self.shuffled_correlation) < MAX_SHUFFLED_CORRELATION


def assess(
    scorer: TargetScorer, view: Floats, maps: Mapping[int, Floats], options: AttributionOptions
) -> dict[int, FaithfulnessResult]:
    """Test a method's heatmaps of one view by deletion, insertion and shuffled weights.

    Adebayo et al., "Sanity checks for saliency maps", 2018, section 3: the weights of all layers are shuffled at once,
    and a heatmap that stays as it was does not depend on them.

    Args:
        scorer: of the target
        view: normalised, (3, S, S)
        maps: (h, w) by depth
        options: by which the maps were computed

    Returns:
        results by depth
    """
    gains = measure_maps(scorer, view, maps, STEPS, options.sampling.seed)
    shuffled_scorer = TargetScorer(scorer.engine.shuffled(options.sampling.seed), scorer.weights)
    shuffled = attribute(shuffled_scorer, view, options)
    return {depth: FaithfulnessResult(gains[depth], rank_correlation(maps[depth], shuffled[depth])) for depth in maps}


def measure_maps(
    scorer: TargetScorer, view: Floats, maps: Mapping[int, Floats], steps: int, seed: int
) -> dict[int, Faithfulness]:
    """Measure heatmaps of one view against the same random orders; see `measure`."""
    baseline = random_baseline(scorer.score, view, steps, np.random.default_rng(seed))
    return {depth: measure(scorer.score, view, grid, steps, baseline) for depth, grid in maps.items()}


def measure(score: ScoreFunction, view: Floats, grid: Floats, steps: int, baseline: RandomBaseline) -> Faithfulness:
    """Delete and insert a view's cells in the order of a heatmap, its maximum first, and follow the score.

    Petsiuk et al., "RISE", 2018, section 4.1: the area under the score as cells are deleted (set to the mean colour,
    0) or inserted (into a blurred copy).

    Args:
        score: of the target
        view: normalised, (3, S, S)
        grid: the heatmap, (h, w)
        steps: equal parts of the view
        baseline: of this view, from `random_baseline`
    """
    areas = _areas(score, view, cell_order(grid, view.shape[-1]), steps, baseline.ends)
    gains = (_gain(areas, random) for random in (baseline.cells, baseline.pixels))
    return Faithfulness(areas.deletion, areas.insertion, *gains)


def random_baseline(score: ScoreFunction, view: Floats, steps: int, rng: np.random.Generator) -> RandomBaseline:
    """Delete and insert a view in a random order of cells and in one of single pixels.

    Single pixels strewn over a painting destroy its texture sooner than any connected area: they are the paper's
    baseline, the cells the fair one.
    """
    size = view.shape[-1]
    cells = _expand_cells(rng.permutation(CELLS * CELLS).reshape(CELLS, CELLS), size)
    pixels = rng.permutation(size * size).reshape(size, size)
    ends = CurveEnds(*(float(value) for value in score(np.stack([view, np.zeros_like(view), blur(view)]))))
    return RandomBaseline(ends, *(_areas(score, view, order, steps, ends) for order in (cells, pixels)))


def area_under(scores: NDArray[np.floating]) -> float:
    """Return the area under a curve of points equally spaced from 0 to 1, by the trapezoidal rule.

    Examples:
        >>> area_under(np.array([1, 1, 0]))
        0.75
    """
    values = np.asarray(scores, np.float64)
    return float((values[:-1] + values[1:]).sum() / 2 / (len(values) - 1))


def cell_order(grid: Floats, size: int) -> NDArray[np.intp]:
    """Rank the view's cells by a heatmap, 0 for its maximum, expanded to pixels (S, S); ties go by position."""
    # A box over each cell when the map is finer, a straight line between its values when it is coarser.
    cells = resize_grid(grid, (CELLS, CELLS), Resampling.BILINEAR)
    ranks = np.empty(CELLS * CELLS, np.intp)
    ranks[np.argsort(-cells.ravel(), kind="stable")] = np.arange(CELLS * CELLS)
    return _expand_cells(ranks.reshape(CELLS, CELLS), size)


def rank_correlation(first: Floats, second: Floats) -> float:
    """Return Spearman's correlation of two heatmaps of one size; 0 where one of them is constant."""
    ranks = _ranks(first.ravel()), _ranks(second.ravel())
    if ranks[0].std() == 0 or ranks[1].std() == 0:
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def blur(view: Floats) -> Floats:
    """Blur a view (3, S, S) until its strokes are gone."""
    radius = view.shape[-1] * _BLUR_SHARE
    return np.stack([_blur_channel(channel, radius) for channel in view])


def _areas(score: ScoreFunction, view: Floats, order: NDArray[np.intp], steps: int, ends: CurveEnds) -> CurveAreas:
    """Delete and insert pixels in `order` (S, S), lowest first."""
    limits = np.arange(1, steps) / steps * (order.max() + 1)
    first = np.stack([order < limit for limit in limits])[:, None]  # (steps - 1, 1, S, S)
    deletion = score(np.where(first, np.float32(0), view[None]))
    insertion = score(np.where(first, view[None], blur(view)[None]))
    return CurveAreas(
        area_under(np.array([ends.intact, *deletion, ends.deleted])),
        area_under(np.array([ends.blurred, *insertion, ends.intact])),
    )


def _blur_channel(channel: Floats, radius: float) -> Floats:
    """Blur one channel; Pillow's filter takes bytes, and what is being blurred away needs no finer steps."""
    low, high = float(channel.min()), float(channel.max())
    span = high - low or 1.0
    image = Image.fromarray(((channel - low) / span * 255).round().astype(np.uint8))
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32)
    return blurred / np.float32(255) * np.float32(span) + np.float32(low)


def _gain(areas: CurveAreas, random: CurveAreas) -> float:
    return ((random.deletion - areas.deletion) + (areas.insertion - random.insertion)) / 2


def _expand_cells(cells: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    index = np.arange(size) * CELLS // size
    return cells[np.ix_(index, index)]


def _ranks(values: Floats) -> NDArray[np.float64]:
    """Rank values, equal ones by the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts + 1) / 2)[inverse]
