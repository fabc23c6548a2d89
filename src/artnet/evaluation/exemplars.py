"""The gallery of a model folder: the patches of a dataset that activate its most important channels most.

It contains parts of the user's own images: do not publish a model with one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from artnet.atomic import atomic_write
from artnet.attribution.exemplars import GALLERY_FILE, Patch
from artnet.data.dataset import count_rows, spread_rows
from artnet.errors import DataError, output_errors
from artnet.evaluation.faithfulness import predicted_target
from artnet.evaluation.predictions import stored_view
from artnet.imaging.encode import encode_jpeg
from artnet.imaging.views import WHOLE, View
from artnet.model.classifier import Classifier
from artnet.model.config import Layer
from artnet.model.preprocessing import network_input

CHANNELS = 24  # of each depth
PATCHES = 9  # of each channel
_MOST_PAINTINGS = 2000  # spread over the split: ten minutes on two busy processors
_PATCH_PX = 96
_SMALLEST = 1 / 8  # of the view's side: a patch is three cells of the layer's grid, and never smaller than this
_QUALITY = 88  # of a patch


@dataclass
class _Strongest:
    """The strongest activations of each channel of one layer, at most one a painting, and the channels' importance."""

    strength: NDArray[np.float32]  # (K, PATCHES), falling
    painting: NDArray[np.int64]  # (K, PATCHES)
    cell: NDArray[np.int64]  # (K, PATCHES), index into the grid
    importance: NDArray[np.float64]  # (K,), what the channel adds to the predicted logit, over all paintings

    @classmethod
    def empty(cls, channels: int) -> _Strongest:
        shape = (channels, PATCHES)
        return cls(np.full(shape, -np.inf, np.float32), np.zeros(shape, int), np.zeros(shape, int), np.zeros(channels))

    def add(self, painting: int, activation: NDArray[np.float32], gradient: NDArray[np.float32]) -> None:
        """Add one painting's activation and gradient, (K, h, w) each."""
        flat = activation.reshape(len(activation), -1)
        self.importance += np.abs(gradient.mean((1, 2)) * flat.mean(1))
        strength, cell = flat.max(1), flat.argmax(1)
        last = strength > self.strength[:, -1]
        self.strength[last, -1], self.painting[last, -1], self.cell[last, -1] = strength[last], painting, cell[last]
        order = np.argsort(-self.strength, axis=1, kind="stable")
        for name in ("strength", "painting", "cell"):
            setattr(self, name, np.take_along_axis(getattr(self, name), order, 1))

    def channels(self) -> NDArray[np.intp]:
        """Return the most important channels."""
        return np.argsort(-self.importance, kind="stable")[:CHANNELS]


def write_gallery(
    classifier: Classifier, folder: Path, data: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Write the gallery of a dataset's training paintings into a model folder and return its number of patches.

    Raises:
        DataError: if the dataset cannot be read or has no training paintings, or the model no explained layers
    """
    layers = classifier.config.layers
    total = min(_MOST_PAINTINGS, count_rows(data, "train"))
    if not total or not layers:
        raise DataError(f"{data}: no gallery can be made: there are no training paintings, or no explained layers")
    strongest = {layer.depth: _Strongest.empty(layer.channels) for layer in layers}
    for index, row in enumerate(_rows(data, total)):
        _add_painting(classifier, strongest, index, stored_view(row, WHOLE))
        progress(index + 1, total)
    patches = _crop_patches(layers, strongest, _rows(data, total))
    columns = {
        "depth": [patch.depth for patch in patches],
        "channel": [patch.channel for patch in patches],
        "strength": [patch.strength for patch in patches],
        "painting": [patch.painting for patch in patches],
        "patch": [encode_jpeg(patch.image, _QUALITY) for patch in patches],
    }
    with output_errors(folder / GALLERY_FILE), atomic_write(folder / GALLERY_FILE) as path:
        pq.write_table(pa.table(columns), path)
    return len(patches)


def patch_box(grid: tuple[int, int], cell: int, size_px: int) -> tuple[int, int, int, int]:
    """Return the square (left, top, right, bottom) around a cell of a grid, three cells wide, within a view.

    Args:
        grid: Rows and columns of the layer's activation.
        cell: Index into the flattened grid.
        size_px: Side of the view.
    """
    row, column = divmod(cell, grid[1])
    side = min(size_px, max(round(3 * size_px / grid[1]), round(size_px * _SMALLEST)))
    left = round((column + 0.5) * size_px / grid[1] - side / 2)
    top = round((row + 0.5) * size_px / grid[0] - side / 2)
    left, top = (min(max(edge, 0), size_px - side) for edge in (left, top))
    return (left, top, left + side, top + side)


def _rows(data: Path, total: int) -> Iterable[dict[str, Any]]:
    return spread_rows(data, "train", ["id", "whole"], total)


def _add_painting(classifier: Classifier, strongest: dict[int, _Strongest], index: int, view: View) -> None:
    """Add one painting to all layers, with the gradients of the movement that its whole view is predicted as."""
    inputs = network_input([view], classifier.config.preprocessing)
    target = predicted_target(classifier, inputs[0])
    names = [f"{kind}_{depth}" for depth in strongest for kind in ("activation", "gradient")]
    outputs = classifier.engine.run(inputs, target, names)
    for depth, layer in strongest.items():
        layer.add(index, outputs[f"activation_{depth}"][0], outputs[f"gradient_{depth}"][0])


def _crop_patches(
    layers: Sequence[Layer], strongest: dict[int, _Strongest], rows: Iterable[dict[str, Any]]
) -> list[Patch]:
    """Return the patches of the most important channels, in a second pass over the paintings."""
    by_painting: dict[int, list[tuple[Layer, int, int]]] = {}
    for layer in layers:
        best = strongest[layer.depth]
        for channel in best.channels():
            for rank in range(int((best.strength[channel] > 0).sum())):
                by_painting.setdefault(int(best.painting[channel, rank]), []).append((layer, int(channel), rank))
    patches = []
    for index, row in enumerate(rows):
        if index not in by_painting:
            continue
        image = stored_view(row, WHOLE).image
        for layer, channel, rank in by_painting[index]:
            best = strongest[layer.depth]
            box = patch_box(layer.grid, int(best.cell[channel, rank]), image.width)
            patch = image.crop(box).resize((_PATCH_PX, _PATCH_PX), Image.Resampling.BICUBIC)
            patches.append(Patch(layer.depth, channel, float(best.strength[channel, rank]), row["id"], patch))
    return patches
