"""Count what a prepared dataset holds and what a lazy guesser would score on it.

Knows nothing about files or pixels; plain functions from a table of paintings to numbers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from artnet.data.duplicates import clusters
from artnet.data.split import SPLITS, Ratios
from artnet.metrics.classification import balanced_accuracy


@dataclass(frozen=True)
class Entry:
    """One painting as the audit sees it; `artist` is the normalised name or None."""

    movement: str
    style: str
    artist: str | None
    split: str
    source: str = ""
    group: str | None = None  # what it must not be torn from: its artist, or nothing
    shorter_side_px: float = 0
    aspect: float = 1
    bytes_per_pixel: float = 0
    sharpness: float = 0


@dataclass(frozen=True)
class LeftOut:
    """What a dataset does not hold: styles of no movement, and rejected files by reason, both counted."""

    unmapped: Mapping[str, int]
    rejected: Mapping[str, int]


DEFAULT_RATIOS = Ratios()

# What a picture file shows of its origin and not of its painter.
FACETS = ("shorter_side_px", "aspect", "bytes_per_pixel", "sharpness")
_BINS = 10
_UNEVEN = 0.5  # of the share wanted in val or test: so far off, scores of the split speak of other proportions
_ENOUGH = 20  # paintings of a movement in val or test: of 20, one painting is five points of recall
_GIVEN_AWAY = 0.10  # balanced accuracy above chance from which a facet is called out


def audit(
    entries: Sequence[Entry],
    left_out: LeftOut,
    near_duplicates: Sequence[tuple[Entry, Entry]] = (),
    ratios: Ratios = DEFAULT_RATIOS,
) -> dict[str, Any]:
    """Summarise a dataset: counts, leaks, near-duplicates, baselines of the test split, and what gives classes away."""
    return {
        "paintings": len(entries),
        "movements": _count(entry.movement for entry in entries),
        "styles": _count(entry.style for entry in entries),
        "splits": {split: _count(entry.movement for entry in entries if entry.split == split) for split in SPLITS},
        "stratification": stratification(entries, ratios),
        "without_artist": sum(entry.artist is None for entry in entries),
        "artists_across_splits": artists_across_splits(entries),
        "baselines": {
            "majority": majority_accuracy(entries, "test"),
            "artist_oracle": artist_oracle_accuracy(entries, "test"),
        },
        "near_duplicates": near_duplicate_report(near_duplicates),
        "facets": {facet: facet_report(entries, facet) for facet in FACETS},
        "styles_of_no_movement": dict(Counter(left_out.unmapped).most_common()),
        "rejected": dict(Counter(left_out.rejected).most_common()),
    }


def stratification(entries: Sequence[Entry], ratios: Ratios) -> dict[str, Any]:
    """Say how far each movement's shares in the splits are from those wanted, and how far chance alone takes them.

    Groups fall independently, so a share is off by a standard deviation of sqrt(p (1 - p) / n), where p is the share
    wanted and n the effective number of groups: 1 over the sum of their squared weights (Kish, "Survey Sampling",
    1965, section 11.7). One artist of half a movement's paintings counts for more than a hundred of one painting each.
    """
    wanted = {split: float(getattr(ratios, split)) for split in SPLITS}
    movements = {}
    for name in sorted({entry.movement for entry in entries}):
        own = [entry for entry in entries if entry.movement == name]
        movements[name] = {"paintings": len(own), "shares": _shares(own), **_groups(own)}
    return {
        "wanted": wanted,
        "together": _shares(entries),
        "movements": movements,
        "largest_deviation": max(
            (abs(found["shares"][split] - wanted[split]) for found in movements.values() for split in SPLITS), default=0
        ),
        "warnings": [
            {"movement": name, "split": split, "paintings": count, "share": share, "wanted": wanted[split]}
            for name, found in movements.items()
            for split in ("val", "test")
            if wanted[split] > 0
            for share in [found["shares"][split]]
            for count in [round(share * found["paintings"])]
            if count < _ENOUGH or abs(share - wanted[split]) > _UNEVEN * wanted[split]
        ],
    }


def _shares(entries: Sequence[Entry]) -> dict[str, float]:
    counts = Counter(entry.split for entry in entries)
    return {split: counts[split] / max(1, len(entries)) for split in SPLITS}


def _groups(entries: Sequence[Entry]) -> dict[str, Any]:
    """Weigh the groups of some paintings: how many count as independent, and the largest of those that have a name."""
    named = Counter(entry.group for entry in entries if entry.group is not None)
    alone = sum(entry.group is None for entry in entries)
    squares = alone + sum(count**2 for count in named.values())
    largest, count = min(named.items(), key=lambda item: (-item[1], item[0]), default=(None, min(1, alone)))
    return {
        "groups": alone + len(named),
        "effective_groups": len(entries) ** 2 / squares,
        "largest_group": {"name": largest, "paintings": count, "share": count / len(entries)},
    }


def near_duplicate_report(pairs: Sequence[tuple[Entry, Entry]]) -> dict[str, Any]:
    """Count the pairs that show the same painting, join them to groups, and name those that disagree."""

    def names(differ: Callable[[Entry, Entry], bool]) -> list[list[str]]:
        return [[first.source, second.source] for first, second in pairs if differ(first, second)]

    return {
        "pairs": len(pairs),
        "groups": _same_paintings(pairs),
        "under_two_movements": names(lambda first, second: first.movement != second.movement),
        "under_two_artists": names(
            lambda first, second: None not in (first.artist, second.artist) and first.artist != second.artist
        ),
        "across_splits": names(lambda first, second: first.split != second.split),
    }


def _same_paintings(pairs: Sequence[tuple[Entry, Entry]]) -> list[list[str]]:
    """Name the pictures of each painting that was found more than once: all that a chain of pairs joins."""
    places: dict[Entry, int] = {}
    for entry in (entry for pair in pairs for entry in pair):
        places.setdefault(entry, len(places))
    labels = clusters(len(places), [(places[first], places[second]) for first, second in pairs])
    groups: dict[int, list[str]] = {}
    for entry, label in zip(places, labels, strict=True):
        groups.setdefault(label, []).append(entry.source)
    return list(groups.values())


def facet_report(entries: Sequence[Entry], facet: str) -> dict[str, Any]:
    """Say how well one facet of the files alone tells the movements of test apart.

    The facet's range in train is divided into ten bins of equal count; each answers the movement that is most
    over-represented in it. A balanced accuracy over chance means that a network can cheat.
    """
    movements = sorted({entry.movement for entry in entries})
    values = np.array([getattr(entry, facet) for entry in entries], np.float64)
    labels = np.array([movements.index(entry.movement) for entry in entries], np.int64)
    train = np.array([entry.split == "train" for entry in entries], bool)
    test = np.array([entry.split == "test" for entry in entries], bool)
    medians = {name: float(np.median(values[labels == index])) for index, name in enumerate(movements)}
    if not train.any() or not test.any():
        return {"medians": medians, "balanced_accuracy": None, "gives_away": False}
    edges = np.quantile(values[train], np.linspace(0, 1, _BINS + 1)[1:-1])
    bins = np.searchsorted(edges, values, side="right")
    counts = np.zeros((_BINS, len(movements)))
    np.add.at(counts, (bins[train], labels[train]), 1)
    answers = (counts / np.maximum(counts.sum(0), 1)).argmax(1)
    found = balanced_accuracy(labels[test], answers[bins[test]], len(movements))
    chance = 1 / len(movements)
    return {"medians": medians, "balanced_accuracy": found, "gives_away": found > chance + _GIVEN_AWAY}


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
