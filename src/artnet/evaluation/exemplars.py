"""Keep, in a model folder, the patches of a dataset that excite the channels which matter most.

Knows nothing about drawing. Such a gallery holds parts of the user's own pictures: no model is published with one.
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

from artnet.attribution.exemplars import GALLERY_FILE, Patch
from artnet.data.dataset import count_rows, spread_rows
from artnet.errors import DataError
from artnet.evaluation.predictions import stored_view
from artnet.imaging.encode import encode_jpeg
from artnet.imaging.views import WHOLE, View
from artnet.model.classifier import Classifier
from artnet.model.config import Layer
from artnet.model.preprocessing import network_input

CHANNELS = 24  # of each depth
PATCHES = 9  # of each channel
_PAINTINGS = 2000  # looked at, at most, spread over the split: ten minutes on two busy processors
_PATCH_PX = 96
_SMALLEST = 1 / 8  # of the view's side: a patch is three cells of the layer's grid, and never smaller than this
_QUALITY = 88  # of a patch


@dataclass
class _Best:
    """The strongest place of each channel of one layer in each painting, and what the channels add to answers."""

    strength: NDArray[np.float32]  # (K, PATCHES), falling
    painting: NDArray[np.int64]
    place: NDArray[np.int64]  # index into the grid
    shares: NDArray[np.float64]  # (K,)

    @classmethod
    def of(cls, channels: int) -> _Best:
        """Begin with nothing seen."""
        shape = (channels, PATCHES)
        return cls(np.full(shape, -np.inf, np.float32), np.zeros(shape, int), np.zeros(shape, int), np.zeros(channels))

    def see(self, painting: int, activation: NDArray[np.float32], gradient: NDArray[np.float32]) -> None:
        """Take one painting's activation (K, h, w) in."""
        flat = activation.reshape(len(activation), -1)
        self.shares += np.abs(gradient.mean((1, 2)) * flat.mean(1))
        strength, place = flat.max(1), flat.argmax(1)
        last = strength > self.strength[:, -1]
        self.strength[last, -1], self.painting[last, -1], self.place[last, -1] = strength[last], painting, place[last]
        order = np.argsort(-self.strength, axis=1, kind="stable")
        for name in ("strength", "painting", "place"):
            setattr(self, name, np.take_along_axis(getattr(self, name), order, 1))

    def chosen(self) -> NDArray[np.intp]:
        """Name the channels that add most to the answers of all paintings seen."""
        return np.argsort(-self.shares, kind="stable")[:CHANNELS]


def write_gallery(
    classifier: Classifier, folder: Path, data: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Look at a dataset's training paintings and write the gallery into a model folder; give the number of patches.

    Errors: `DataError` for a dataset that cannot be read or has no paintings of train.
    """
    layers = classifier.config.layers
    total = min(_PAINTINGS, count_rows(data, "train"))
    if not total or not layers:
        raise DataError(f"{data}: there is nothing to make a gallery of: no paintings, or no explained layers")
    best = {layer.depth: _Best.of(layer.channels) for layer in layers}
    for index, row in enumerate(_rows(data, total)):
        _look(classifier, best, index, stored_view(row, WHOLE))
        progress(index + 1, total)
    patches = _cut(layers, best, _rows(data, total))
    columns = {
        "depth": [patch.depth for patch in patches],
        "channel": [patch.channel for patch in patches],
        "strength": [patch.strength for patch in patches],
        "painting": [patch.painting for patch in patches],
        "patch": [encode_jpeg(patch.image, _QUALITY) for patch in patches],
    }
    pq.write_table(pa.table(columns), folder / GALLERY_FILE)
    return len(patches)


def _rows(data: Path, total: int) -> Iterable[dict[str, Any]]:
    return spread_rows(data, "train", ["id", "whole"], total)


def _look(classifier: Classifier, best: dict[int, _Best], index: int, view: View) -> None:
    """Run one painting and keep what its channels show, asking for the movement that is answered."""
    inputs = network_input([view], classifier.config.preprocessing)
    logits = classifier.engine.run(inputs, None, ["logits"])["logits"]
    target = np.eye(logits.shape[1], dtype=np.float32)[[int(logits[0].argmax())]]
    names = [f"{kind}_{depth}" for depth in best for kind in ("activation", "gradient")]
    found = classifier.engine.run(inputs, target, names)
    for depth, seen in best.items():
        seen.see(index, found[f"activation_{depth}"][0], found[f"gradient_{depth}"][0])


def _cut(layers: Sequence[Layer], best: dict[int, _Best], rows: Iterable[dict[str, Any]]) -> list[Patch]:
    """Go through the paintings once more and cut the patches out."""
    wanted: dict[int, list[tuple[Layer, int, int]]] = {}
    for layer in layers:
        seen = best[layer.depth]
        for channel in seen.chosen():
            for rank in range(int((seen.strength[channel] > 0).sum())):
                wanted.setdefault(int(seen.painting[channel, rank]), []).append((layer, int(channel), rank))
    patches = []
    for index, row in enumerate(rows):
        if index not in wanted:
            continue
        image = stored_view(row, WHOLE).image
        for layer, number, rank in wanted[index]:
            seen = best[layer.depth]
            box = patch_box(layer.grid, int(seen.place[number, rank]), image.width)
            part = image.crop(box).resize((_PATCH_PX, _PATCH_PX), Image.Resampling.BICUBIC)
            patches.append(Patch(layer.depth, number, float(seen.strength[number, rank]), row["id"], part))
    return patches


def patch_box(grid: tuple[int, int], place: int, size_px: int) -> tuple[int, int, int, int]:
    """Give the square around a cell of a layer's grid, three cells wide, within the view; in pixels."""
    row, column = divmod(place, grid[1])
    side = min(size_px, max(round(3 * size_px / grid[1]), round(size_px * _SMALLEST)))
    left = round((column + 0.5) * size_px / grid[1] - side / 2)
    top = round((row + 0.5) * size_px / grid[0] - side / 2)
    left, top = (min(max(edge, 0), size_px - side) for edge in (left, top))
    return (left, top, left + side, top + side)
