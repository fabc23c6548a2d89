"""Count what a prepared dataset holds and what a lazy guesser would score on it.

Knows nothing about files or pixels; plain functions from a table of paintings to numbers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from artnet.split import SPLITS


@dataclass(frozen=True)
class Entry:
    """One painting as the audit sees it; `artist` is the normalised name or None."""

    movement: str
    style: str
    artist: str | None
    split: str


def audit(entries: Sequence[Entry], unmapped: Mapping[str, int], rejected: Mapping[str, int]) -> dict[str, Any]:
    """Summarise a dataset: counts, artists on several sides, and the baselines of the test split."""
    return {
        "paintings": len(entries),
        "movements": _count(entry.movement for entry in entries),
        "styles": _count(entry.style for entry in entries),
        "splits": {split: _count(entry.movement for entry in entries if entry.split == split) for split in SPLITS},
        "without_artist": sum(entry.artist is None for entry in entries),
        "artists_across_splits": artists_across_splits(entries),
        "baselines": {
            "majority": majority_accuracy(entries, "test"),
            "artist_oracle": artist_oracle_accuracy(entries, "test"),
        },
        "styles_of_no_movement": dict(Counter(unmapped).most_common()),
        "rejected": dict(Counter(rejected).most_common()),
    }


def artists_across_splits(entries: Iterable[Entry]) -> list[str]:
    """List the artists whose paintings stand in more than one split: with a split by artist, none."""
    sides = defaultdict(set)
    for entry in entries:
        if entry.artist is not None:
            sides[entry.artist].add(entry.split)
    return sorted(artist for artist, splits in sides.items() if len(splits) > 1)


def majority_accuracy(entries: Sequence[Entry], split: str) -> float | None:
    """Score the answer "always the movement most common in train" on a split, 0 to 1; None on an empty one."""
    train = Counter(entry.movement for entry in entries if entry.split == "train")
    asked = [entry.movement for entry in entries if entry.split == split]
    if not train or not asked:
        return None
    answer = train.most_common(1)[0][0]
    return sum(movement == answer for movement in asked) / len(asked)


def artist_oracle_accuracy(entries: Sequence[Entry], split: str) -> float | None:
    """Score the answer "this artist's commonest movement in train" on a split, 0 to 1.

    An artist that train does not hold gets the majority's answer, so with a split by artist this is the
    majority baseline, and how far it stands above it tells how much the artist's name leaks.
    """
    train = [entry for entry in entries if entry.split == "train"]
    asked = [entry for entry in entries if entry.split == split]
    if not train or not asked:
        return None
    fallback = Counter(entry.movement for entry in train).most_common(1)[0][0]
    habits: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in train:
        if entry.artist is not None:
            habits[entry.artist][entry.movement] += 1
    right = 0
    for entry in asked:
        known = habits.get(entry.artist) if entry.artist is not None else None
        right += (known.most_common(1)[0][0] if known else fallback) == entry.movement
    return right / len(asked)


def _count(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())
