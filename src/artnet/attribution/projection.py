"""Lay maps of views back on the painting: the whole, and the five regions at the painting's own resolution.

Knows nothing about how maps are made; the letterbox's bands never glow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.imaging.views import Box, Placement

Floats = NDArray[np.float32]

LARGE = 2  # a painting whose shorter side is this many views has regions that say more than the whole
_FEATHER = 0.25  # of a region's side, over which it fades into the whole


@dataclass(frozen=True)
class RegionMap:
    """A region's evidence: `grid` (h, w) over `box`, in the painting's pixels."""

    box: Box
    grid: Floats


def scaled(grid: Floats, highest: float | None = None) -> Floats:
    """Scale a map so that its largest size is 1, or `highest` is, with what is over it cut; signs are kept.

    A map of zeros stays one.
    """
    highest = float(np.abs(grid).max(initial=0)) if highest is None else highest
    if not (highest > 0 and np.isfinite(highest)):
        return np.zeros_like(grid)
    result: Floats = np.clip(grid / np.float32(highest), -1, 1)
    return result


def without_bands(grid: Floats, place: Placement) -> Floats:
    """Set the cells that show only the letterbox's bands to zero, before they can set the scale."""
    left, top, right, bottom = touched_cells(grid, place)
    bare = np.zeros_like(grid)
    bare[top:bottom, left:right] = grid[top:bottom, left:right]
    return bare


def on_painting(grid: Floats, place: Placement, size: tuple[int, int] | None = None) -> Floats:
    """Enlarge a view's map (h, w) to the painting (H, W), or to a smaller picture of it.

    The letterbox's bands are cut off before.
    """
    left, top, right, bottom = touched_cells(grid, place)
    x0, y0, x1, y1 = content_cells(grid, place)
    cut = Image.fromarray(np.ascontiguousarray(grid[top:bottom, left:right], np.float32))
    box = (x0 - left, y0 - top, x1 - left, y1 - top)
    enlarged = cut.resize(size or (place.width, place.height), Image.Resampling.BICUBIC, box=box)
    low = -1 if grid.min(initial=0) < 0 else 0
    result: Floats = np.clip(np.asarray(enlarged, np.float32), low, 1)
    return result


def fused(grid: Floats, place: Placement, regions: Sequence[RegionMap], size: tuple[int, int] | None = None) -> Floats:
    """Lay the whole's map on the painting and average each region's into it, box by box, (H, W).

    Inside a region both count alike; towards its edges it fades away, so that no seam shows. The edges that are the
    painting's own do not fade.
    """
    width, height = size or (place.width, place.height)
    total = on_painting(grid, place, (width, height))
    weight = np.ones_like(total)
    across, down = width / place.width, height / place.height
    for region in regions:
        left, right = round(region.box.left * across), round(region.box.right * across)
        top, bottom = round(region.box.top * down), round(region.box.bottom * down)
        if right <= left or bottom <= top:
            continue
        patch = Image.fromarray(region.grid).resize((right - left, bottom - top), Image.Resampling.BICUBIC)
        rows = _fade(bottom - top, top > 0, bottom < height)
        window = rows[:, None] * _fade(right - left, left > 0, right < width)
        total[top:bottom, left:right] += window * np.clip(np.asarray(patch, np.float32), -1, 1)
        weight[top:bottom, left:right] += window
    total /= weight
    if grid.min(initial=0) >= 0:
        np.maximum(total, 0, out=total)
    return total


def _fade(length: int, at_start: bool, at_end: bool) -> Floats:
    """Give weights that rise smoothly from 0 to 1 over a quarter of a side, where that side fades."""
    places = (np.arange(length) + 0.5) / (length * _FEATHER)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.clip(places, 0, 1))
    ones = np.ones(length)
    result: Floats = ((ramp if at_start else ones) * (ramp[::-1] if at_end else ones)).astype(np.float32)
    return result


def content_cells(grid: Floats, place: Placement) -> tuple[float, float, float, float]:
    """Give where the painting lies in the grid, in cells and parts of cells."""
    box, across, down = place.content, grid.shape[1] / place.size_px, grid.shape[0] / place.size_px
    return (box.left * across, box.top * down, box.right * across, box.bottom * down)


def touched_cells(grid: Floats, place: Placement) -> tuple[int, int, int, int]:
    """Give the whole cells that the painting touches: left, top, right, bottom."""
    left, top, right, bottom = content_cells(grid, place)
    return (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
