"""Batches of a prepared dataset's views.

A view's augmentation depends on seed, epoch and its position in the epoch alone, never on the number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from artnet.data.dataset import collection_of, read_columns, read_info
from artnet.imaging.views import VIEWS
from artnet.taxonomy import index_styles
from artnet.training.batches.augment import augment
from artnet.training.recipe import Augmentation, Recipe, TrainingViews
from artnet.workers import signals_held_back

_MOST_REPEATS = 5.0


class Batch(NamedTuple):
    """Views (B, 3, S, S) uint8, their movements' shares (B, C) and styles (B,), or a single view with its labels.

    A style is -1 where the second head does not learn it.
    """

    pixels: Tensor
    movements: Tensor
    styles: Tensor | int


@dataclass(frozen=True)
class StoredViews:
    """A split's encoded views and their labels, held in memory: some 15 kB a view."""

    encoded: list[bytes]
    movements: NDArray[np.int64]  # (N,)
    collections: NDArray[np.int64]  # (N,), an index for each collection
    styles: NDArray[np.int64]  # (N,), an index among the learnt styles, -1 for any other
    shares: NDArray[np.float32]  # (N, C), of each movement: 1 for the label, unless a teacher's scores are mixed in

    def decode(self, index: int) -> Image.Image:
        """Return one view as an RGB image."""
        with Image.open(BytesIO(self.encoded[index])) as image:
            return image.convert("RGB")


@dataclass(frozen=True)
class Epoch:
    """What decides an epoch's views, besides the recipe."""

    seed: int
    number: int  # from 0
    size_px: int


@dataclass(frozen=True)
class Shard:
    """A part of an epoch: from which batch on, and which process's rows of each batch."""

    first_batch: int = 0
    rank: int = 0
    processes: int = 1


class _AugmentedViews(Dataset[Batch]):
    def __init__(self, views: StoredViews, augmentation: Augmentation, epoch: Epoch) -> None:
        self._views, self._augmentation, self._epoch = views, augmentation, epoch

    def __getitem__(self, position: tuple[int, int]) -> Batch:
        slot, index = position  # a painting sampled twice in an epoch is augmented in two ways
        rng = np.random.default_rng((self._epoch.seed, self._epoch.number, slot))
        image, size_px = self._views.decode(index), self._epoch.size_px
        if self._augmentation.enabled:
            image = augment(image, size_px, self._augmentation.smallest_crop, self._augmentation.reencode, rng)
        elif image.size != (size_px, size_px):
            image = image.resize((size_px, size_px), Image.Resampling.BICUBIC)
        return _labelled(image, self._views, index)


class _PlainViews(Dataset[Batch]):
    def __init__(self, views: StoredViews) -> None:
        self._views = views

    def __getitem__(self, index: int) -> Batch:
        return _labelled(self._views.decode(index), self._views, index)


def load_views(folder: Path, split: str, views: TrainingViews = "whole", styles: Sequence[str] = ()) -> StoredViews:
    """Load a split's views.

    Args:
        folder: a prepared dataset
        split: train, val or test
        views: only the whole view of each painting, or all six, painting by painting with the whole first
        styles: names of the styles that are learnt

    Raises:
        DataError: where the split cannot be read
    """
    columns = ["movement", "source", "style", "whole", *(["regions"] if views == "six" else [])]
    table = read_columns(folder, split, columns)
    encoded = [view["bytes"] for view in table["whole"].to_pylist()]
    labels = (
        table["movement"].to_numpy().copy(),
        _collection_indices(table["source"].to_pylist()),
        index_styles(table["style"].to_pylist(), styles),
    )
    if views == "six":
        regions = [[view["bytes"] for view in each] for each in table["regions"].to_pylist()]
        encoded = [view for whole, others in zip(encoded, regions, strict=True) for view in (whole, *others)]
        labels = tuple(np.repeat(label, len(VIEWS)) for label in labels)  # type: ignore[assignment]
    shares = np.eye(len(read_info(folder).movements), dtype=np.float32)[labels[0]]
    return StoredViews(encoded, *labels, shares)


def _collection_indices(sources: Sequence[str]) -> NDArray[np.int64]:
    return np.unique([collection_of(source) for source in sources], return_inverse=True)[1]


def sample_epoch(views: StoredViews, balance: float, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of an epoch as indices (N,).

    With `balance` 0 each painting occurs once; above 0 paintings are drawn with replacement, see
    `sampling_probabilities`.
    """
    rng = np.random.default_rng((seed, epoch, 2**31))
    count = len(views.movements)
    if balance == 0:
        return rng.permutation(count)
    return rng.choice(count, size=count, p=sampling_probabilities(views.movements, views.collections, balance))


def sampling_probabilities(
    movements: NDArray[np.int64], collections: NDArray[np.int64], balance: float
) -> NDArray[np.float64]:
    """Return each painting's probability (N,); they sum to 1.

    A collection of n paintings is drawn in proportion to n ** (1 - balance), and within it a movement of m paintings
    likewise. So with balance 1 all collections are equally frequent, and in each all movements that it holds. Were
    movements balanced over all collections together, one that is frequent in few of them would be recognised by what
    identifies the collection. A painting of a small cell counts at most as `_MOST_REPEATS` of the average, or the
    network learns the few by heart.
    """
    cells = collections * (movements.max() + 1) + movements
    within = np.bincount(cells)[cells].astype(np.float64) ** -balance
    weights = np.bincount(collections) ** (1.0 - balance) / np.bincount(collections, within)
    probabilities = within * weights[collections]
    probabilities = np.minimum(probabilities, _MOST_REPEATS * probabilities.mean())
    return np.asarray(probabilities / probabilities.sum())


def movement_frequencies(folder: Path, balance: float) -> NDArray[np.float64]:
    """Return the share of each movement (C,) among the training paintings that are drawn; they sum to 1."""
    table = read_columns(folder, "train", ["movement", "source"])
    movements, collections = table["movement"].to_numpy(), _collection_indices(table["source"].to_pylist())
    return np.bincount(movements, sampling_probabilities(movements, collections, balance)).astype(np.float64)


def training_batches(
    views: StoredViews, recipe: Recipe, epoch: Epoch, workers: int, shard: Shard = Shard()
) -> Iterator[Batch]:
    """Yield the augmented batches of one epoch, or a process's rows of each; an incomplete last batch is dropped."""
    order = sample_epoch(views, recipe.balance, epoch.seed, epoch.number).tolist()
    own = recipe.batch // shard.processes
    slots = [
        (step * recipe.batch + shard.rank * own + row)
        for step in range(shard.first_batch, len(order) // recipe.batch)
        for row in range(own)
    ]
    dataset = _AugmentedViews(views, recipe.augmentation, epoch)
    yield from _load(dataset, own, [(slot, order[slot]) for slot in slots], workers)


def plain_batches(views: StoredViews, batch: int, workers: int, rows: range | None = None) -> Iterator[Batch]:
    """Yield the views of `rows`, by default all, in their order and without augmentation."""
    yield from _load(_PlainViews(views), batch, range(len(views.encoded)) if rows is None else rows, workers)


def _load(dataset: Dataset[Batch], batch: int, indices: Sequence[Any], workers: int) -> Iterator[Batch]:
    loader = DataLoader(
        dataset,
        batch_size=batch,
        sampler=indices,
        num_workers=workers,
        generator=torch.Generator(),  # or the loader would draw from the global one
    )
    with signals_held_back():  # the training loop needs its workers to end its step
        batches = iter(loader)
    yield from batches


def _labelled(image: Image.Image, views: StoredViews, index: int) -> Batch:
    pixels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)
    return Batch(pixels, torch.from_numpy(views.shares[index]), int(views.styles[index]))
