"""Projects heatmaps of views onto the image, and fuses those of the regions into that of the whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Resampling

from artnet.imaging.encode import CellBox, resize_grid
from artnet.imaging.views import Box, Placement

Floats = NDArray[np.float32]

_FEATHER = 0.25  # of a region's side, over which it fades into the whole


@dataclass(frozen=True)
class RegionMap:
    """A region's heatmap: `grid` (h, w) over `box`, in the image's pixels."""

    box: Box
    grid: Floats


def normalise(grid: Floats, maximum: float | None = None) -> Floats:
    """Divide a heatmap by its largest absolute value, or by `maximum`, and clip it to -1..1; zeros stay zeros.

    Examples:
        >>> normalise(np.array([[-2, 0, 1]], np.float32))
        array([[-1. ,  0. ,  0.5]], dtype=float32)
    """
    maximum = float(np.abs(grid).max(initial=0)) if maximum is None else maximum
    if not (maximum > 0 and np.isfinite(maximum)):
        return np.zeros_like(grid)
    result: Floats = np.clip(grid / np.float32(maximum), -1, 1)
    return result


def mask_letterbox(grid: Floats, placement: Placement) -> Floats:
    """Set the cells that show only the letterbox's bands to zero, before they can set the scale."""
    left, top, right, bottom = covered_cells(grid, placement)
    masked = np.zeros_like(grid)
    masked[top:bottom, left:right] = grid[top:bottom, left:right]
    return masked


def project_to_image(grid: Floats, placement: Placement, size: tuple[int, int] | None = None) -> Floats:
    """Enlarge the whole view's heatmap to the image, without the letterbox's bands.

    Args:
        grid: normalised, (h, w)
        placement: where the painting lies in the view and in the image
        size: (width, height) of the result, by default the image's own

    Returns:
        (H, W) float32, 0 to 1, or -1 to 1 where the grid holds negative values; 0 on the image's margins
    """
    left, top, right, bottom = covered_cells(grid, placement)
    x0, y0, x1, y1 = content_cells(grid, placement)
    box = (x0 - left, y0 - top, x1 - left, y1 - top)
    width, height = size or (placement.width, placement.height)
    painting = placement.box.scaled(width / placement.width, height / placement.height)
    inner = max(1, painting.width), max(1, painting.height)
    enlarged = resize_grid(grid[top:bottom, left:right], inner, Resampling.BICUBIC, box)
    heatmap = np.zeros((height, width), np.float32)
    rows, columns = slice(painting.top, painting.top + inner[1]), slice(painting.left, painting.left + inner[0])
    np.clip(enlarged, -1 if grid.min(initial=0) < 0 else 0, 1, out=heatmap[rows, columns])
    return heatmap


def fuse_regions(
    grid: Floats, placement: Placement, regions: Sequence[RegionMap], size: tuple[int, int] | None = None
) -> Floats:
    """Project the whole's heatmap to the image, as `project_to_image`, and average each region's into it.

    Inside a region both count alike; towards its edges it fades away, so that no seam shows. Edges that are also the
    painting's do not fade.
    """
    width, height = size or (placement.width, placement.height)
    total = project_to_image(grid, placement, (width, height))
    if not regions:
        return total
    weight = np.ones_like(total)
    x_scale, y_scale = width / placement.width, height / placement.height
    painting = placement.box.scaled(x_scale, y_scale)
    for region in regions:
        box = region.box.scaled(x_scale, y_scale)
        if not (box.width and box.height):
            continue
        patch = resize_grid(region.grid, (box.width, box.height), Resampling.BICUBIC)
        rows = _fade(box.height, box.top > painting.top, box.bottom < painting.bottom)
        window = rows[:, None] * _fade(box.width, box.left > painting.left, box.right < painting.right)
        place = slice(box.top, box.bottom), slice(box.left, box.right)
        total[place] += window * np.clip(patch, -1, 1)
        weight[place] += window
    total /= weight
    if grid.min(initial=0) >= 0:
        np.maximum(total, 0, out=total)
    return total


def content_cells(grid: Floats, placement: Placement) -> CellBox:
    """Return where the painting lies in the grid, in fractional cells."""
    box, x_scale, y_scale = placement.content, grid.shape[1] / placement.size_px, grid.shape[0] / placement.size_px
    return (box.left * x_scale, box.top * y_scale, box.right * x_scale, box.bottom * y_scale)


def covered_cells(grid: Floats, placement: Placement) -> tuple[int, int, int, int]:
    """Return the whole cells that the painting touches: left, top, right, bottom."""
    left, top, right, bottom = content_cells(grid, placement)
    return (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))


def _fade(length: int, at_start: bool, at_end: bool) -> Floats:
    """Return weights (length,) that rise smoothly from 0 to 1 over a quarter of the length, at the ends that fade."""
    positions = (np.arange(length) + 0.5) / (length * _FEATHER)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.clip(positions, 0, 1))
    ones = np.ones(length)
    return ((ramp if at_start else ones) * (ramp[::-1] if at_end else ones)).astype(np.float32)
