"""Divide paintings into train, val and test so that no group stands on two sides.

Knows nothing about files or pixels: a split is a pure function of a seed and a group's name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from artnet.errors import UsageError

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True)
class Ratios:
    """The shares of the three splits; they add up to 1."""

    train: float = 0.70
    val: float = 0.15
    test: float = 0.15

    def __post_init__(self) -> None:
        shares = (self.train, self.val, self.test)
        if not (min(shares) >= 0 and abs(sum(shares) - 1) <= 1e-9):  # refuses nan too
            raise UsageError(f"ratios {shares} must be at least 0 and add up to 1, for example 70:15:15")


def parse_ratios(text: str) -> Ratios:
    """Read ratios written as "70:15:15". They must add up to 100: the 2020 project's made 105."""
    parts = text.split(":")
    try:
        train, val, test = (float(part) for part in parts)
    except ValueError:
        raise UsageError(f"ratios {text!r} are not three numbers; write them as 70:15:15") from None
    if not (min(train, val, test) >= 0 and abs(train + val + test - 100) <= 1e-6):  # refuses nan too
        raise UsageError(f"ratios {text!r} add up to {train + val + test:g}; they must add up to 100")
    return Ratios(train / 100, val / 100, test / 100)


def assign_split(group: str, ratios: Ratios, seed: int) -> Split:
    """Place a whole group in one split.

    The group's name and the seed are hashed to a number in 0..1 and compared with the ratios, so that adding
    other paintings never moves this one, and the same artist falls on the same side in every collection.
    """
    digest = hashlib.sha256(f"{seed}\0{group}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if position < ratios.train:
        return "train"
    return "val" if position < ratios.train + ratios.val else "test"


def check_split_by(split_by: str) -> None:
    """Refuse anything else than artist or painting."""
    if split_by not in ("artist", "painting"):
        raise UsageError(f"cannot split by {split_by!r}; use artist or painting")


def group_of(identifier: str, artist: str | None, split_by: str) -> str:
    """Name the group that must stay together: the artist, or the painting where none is known or asked for."""
    check_split_by(split_by)
    if split_by == "artist" and artist is not None:
        return f"artist:{artist}"
    return f"painting:{identifier}"
