"""Bring a prepared dataset's views to the network as batches of tensors.

Knows nothing about the network; each view's randomness depends on seed, epoch and painting alone, never on how
many workers decode.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from artnet.data.dataset import collection_of, read_columns
from artnet.taxonomy import index_styles
from artnet.training.augment import augment
from artnet.training.recipe import Augmentation, Recipe, TrainedViews


class Batch(NamedTuple):
    """Views (B, 3, S, S) uint8, their movements (B,) and styles (B,), -1 where a style is not learnt; or one view."""

    pixels: Tensor
    movements: Tensor | int
    styles: Tensor | int


@dataclass(frozen=True)
class StoredViews:
    """A split's encoded views and their movements, held in memory: some 15 kB a view.

    `styles` (N,) are places among the styles that are learnt, -1 where a painting's is not one of them.
    """

    encoded: list[bytes]
    movements: np.ndarray
    collections: np.ndarray  # a number for each collection, (N,)
    styles: np.ndarray

    def decode(self, index: int) -> Image.Image:
        """Decode one view."""
        with Image.open(BytesIO(self.encoded[index])) as image:
            return image.convert("RGB")


@dataclass(frozen=True)
class Epoch:
    """What, besides the recipe, decides an epoch's views: the training's seed, the number from 0, the size drawn."""

    seed: int
    number: int
    size_px: int


@dataclass(frozen=True)
class Part:
    """Which part of an epoch is wanted: from which batch on, and which process's rows of each."""

    first_batch: int = 0
    rank: int = 0
    processes: int = 1


class _ForTraining(Dataset[Batch]):
    def __init__(self, views: StoredViews, changes: Augmentation, epoch: Epoch) -> None:
        self._views, self._changes, self._epoch = views, changes, epoch

    def __len__(self) -> int:
        return len(self._views.encoded)

    def __getitem__(self, position: tuple[int, int]) -> Batch:
        step, index = position  # a painting drawn twice in an epoch is changed in two ways
        rng = np.random.default_rng((self._epoch.seed, self._epoch.number, step))
        image, size_px = self._views.decode(index), self._epoch.size_px
        if self._changes.augment:
            image = augment(image, size_px, self._changes.smallest_crop, self._changes.reencode, rng)
        elif image.size != (size_px, size_px):
            image = image.resize((size_px, size_px), Image.Resampling.BICUBIC)
        return _labelled(image, self._views, index)


class _AsTheyAre(Dataset[Batch]):
    def __init__(self, views: StoredViews) -> None:
        self._views = views

    def __len__(self) -> int:
        return len(self._views.encoded)

    def __getitem__(self, index: int) -> Batch:
        return _labelled(self._views.decode(index), self._views, index)


def load_whole_views(folder: Path, split: str, styles: Sequence[str] = ()) -> StoredViews:
    """Read the whole views of a split; `styles` names those that are learnt."""
    table = read_columns(folder, split, ["whole", "movement", "source", "style"])
    encoded = [entry["bytes"] for entry in table["whole"].to_pylist()]
    return StoredViews(encoded, *_labels(table, styles))


def load_views(folder: Path, split: str, views: TrainedViews, styles: Sequence[str] = ()) -> StoredViews:
    """Read the views that a recipe trains on."""
    return load_six_views(folder, split, styles) if views == "six" else load_whole_views(folder, split, styles)


def load_six_views(folder: Path, split: str, styles: Sequence[str] = ()) -> StoredViews:
    """Read all six views of a split, painting by painting, the whole first."""
    table = read_columns(folder, split, ["whole", "regions", "movement", "source", "style"])
    encoded = []
    for whole, regions in zip(table["whole"].to_pylist(), table["regions"].to_pylist(), strict=True):
        encoded += [whole["bytes"], *(region["bytes"] for region in regions)]
    return StoredViews(encoded, *(np.repeat(label, 6) for label in _labels(table, styles)))


def _labels(table: pa.Table, styles: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give each painting's movement, collection and style as numbers."""
    collections = _numbered(table["source"].to_pylist())
    return table["movement"].to_numpy().copy(), collections, index_styles(table["style"].to_pylist(), styles)


def _numbered(sources: list[str]) -> np.ndarray:
    return np.unique([collection_of(source) for source in sources], return_inverse=True)[1]


def draw_epoch(views: StoredViews, balance: float, seed: int, epoch: int) -> np.ndarray:
    """Draw the order of one epoch: every painting once (`balance` 0), or collections and movements ever more equally.

    With balance above 0 paintings are drawn with replacement, by their chances.
    """
    rng = np.random.default_rng((seed, epoch, 2**31))
    count = len(views.movements)
    if balance == 0:
        return rng.permutation(count)
    return rng.choice(count, size=count, p=chances(views, balance))


def chances(views: StoredViews, balance: float) -> np.ndarray:
    """Give every painting's chance to be drawn, (N,), adding up to 1.

    A collection of n paintings is drawn in proportion to n ** (1 - balance), and within it a movement of m paintings
    likewise. With balance 1 every collection is drawn equally often, and every movement that it holds. Were movements
    made equal over all collections together, one that stands in few of them would be told by what tells its collection.
    """
    cells = views.collections * (views.movements.max() + 1) + views.movements
    within = np.bincount(cells)[cells].astype(np.float64) ** -balance
    collections = np.bincount(views.collections)
    weights = collections ** (1.0 - balance) / np.bincount(views.collections, within)
    wanted: np.ndarray = within * weights[views.collections]
    return np.asarray(wanted / wanted.sum())


def training_batches(
    views: StoredViews, recipe: Recipe, epoch: Epoch, workers: int, part: Part = Part()
) -> Iterator[Batch]:
    """Yield one epoch's batches, or this process's part of each; the last is dropped where it is not full."""
    order = draw_epoch(views, recipe.balance, epoch.seed, epoch.number).tolist()
    own = recipe.batch // part.processes
    positions = [
        (step * recipe.batch + part.rank * own + row)
        for step in range(part.first_batch, len(order) // recipe.batch)
        for row in range(own)
    ]
    yield from DataLoader(
        _ForTraining(views, recipe.changes, epoch),
        batch_size=own,
        sampler=[(position, order[position]) for position in positions],
        num_workers=workers,
        worker_init_fn=_leave_interrupts_to_the_loop,
        generator=torch.Generator(),  # or the loader would draw from the global one
    )


def _leave_interrupts_to_the_loop(worker: int) -> None:
    """Ctrl-C, or a service being stopped, reaches all processes, and the loop still needs its workers for its step."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def plain_batches(views: StoredViews, batch: int, workers: int, rows: range | None = None) -> Iterator[Batch]:
    """Yield views, or some of them, in their own order, as they are."""
    yield from DataLoader(
        _AsTheyAre(views),
        batch_size=batch,
        sampler=range(len(views.encoded)) if rows is None else rows,
        num_workers=workers,
        worker_init_fn=_leave_interrupts_to_the_loop,
        generator=torch.Generator(),
    )


def _tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)


def _labelled(image: Image.Image, views: StoredViews, index: int) -> Batch:
    return Batch(_tensor(image), int(views.movements[index]), int(views.styles[index]))
