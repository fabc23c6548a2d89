"""Splits into train, val and test that never divide a group: a pure function of a seed and the group's name."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from artnet.errors import UsageError

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True)
class Ratios:
    """Shares of the three splits, which sum to 1."""

    train: float = 0.70
    val: float = 0.15
    test: float = 0.15

    def __post_init__(self) -> None:
        shares = (self.train, self.val, self.test)
        if not (min(shares) >= 0 and abs(sum(shares) - 1) <= 1e-9):  # refuses nan too
            raise UsageError(f"ratios {shares} must be at least 0 and add up to 1, for example 70:15:15")


def parse_ratios(text: str) -> Ratios:
    """Return ratios written in percent, or raise `UsageError` where they do not add up to 100 (those of 2020 made 105).

    >>> parse_ratios("70:15:15")
    Ratios(train=0.7, val=0.15, test=0.15)
    """
    parts = text.split(":")
    try:
        train, val, test = (float(part) for part in parts)
    except ValueError:
        raise UsageError(f"ratios {text!r} are not three numbers; write them as 70:15:15") from None
    if not (min(train, val, test) >= 0 and abs(train + val + test - 100) <= 1e-6):  # refuses nan too
        raise UsageError(f"ratios {text!r} add up to {train + val + test:g}; they must add up to 100")
    return Ratios(train / 100, val / 100, test / 100)


def assign_split(group: str, ratios: Ratios, seed: int) -> Split:
    """Return the split of a group.

    The group's name and the seed are hashed to a number in 0..1 and compared with the ratios. So adding paintings never
    moves another, and an artist is in the same split in every collection.

    >>> assign_split("artist:picasso pablo", Ratios(), seed=0)
    'train'
    """
    digest = hashlib.sha256(f"{seed}\0{group}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if position < ratios.train:
        return "train"
    return "val" if position < ratios.train + ratios.val else "test"


def check_split_by(split_by: str) -> None:
    """Raise `UsageError` for anything but "artist" or "painting"."""
    if split_by not in ("artist", "painting"):
        raise UsageError(f"cannot split by {split_by!r}; use artist or painting")


def group_of(identifier: str, artist: str | None, split_by: str) -> str:
    """Return the name of the group that must stay in one split: the artist's, or the painting's where none is known.

    >>> group_of("ab12", "monet claude", "artist"), group_of("ab12", "monet claude", "painting")
    ('artist:monet claude', 'painting:ab12')
    """
    check_split_by(split_by)
    if split_by == "artist" and artist is not None:
        return f"artist:{artist}"
    return f"painting:{identifier}"


def group_folds(groups: Sequence[Hashable], folds: int) -> NDArray[np.int64]:
    """Return the fold (N,) of each painting, 0 to `folds` - 1, for a cross-validation that never divides a group.

    The largest group comes first, each into the fold with the fewest paintings so far. Unlike a split, a fold changes
    when paintings are added.

    >>> group_folds(["monet", "gris", "monet", "monet", "courbet"], 2)
    array([0, 1, 0, 0, 1])
    """
    sizes = [0] * folds
    fold_of: dict[Hashable, int] = {}
    for group, count in Counter(groups).most_common():
        fold_of[group] = sizes.index(min(sizes))
        sizes[fold_of[group]] += count
    return np.array([fold_of[group] for group in groups], np.int64)
