"""The audit of a prepared dataset: counts, leakage between splits, baselines, and shortcuts by the files alone."""

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
    """What the audit needs to know of a painting."""

    movement: str
    style: str
    artist: str | None  # normalised
    split: str
    source: str = ""
    group: str | None = None  # that must stay in one split: its artist, or none
    shorter_side_px: float = 0
    aspect: float = 1
    bytes_per_pixel: float = 0
    sharpness: float = 0
    jpeg_quality: float = 100  # also of a file of another format


@dataclass(frozen=True)
class Excluded:
    """What a dataset does not contain."""

    unmapped: Mapping[str, int]  # paintings of each style without a movement
    rejected: Mapping[str, int]  # records by reason
    unmatched: Sequence[int] = ()  # lines of the table of exclusions that name no painting


DEFAULT_RATIOS = Ratios()

# Properties of an image file that depend on its origin and not on its painter.
FACETS = ("shorter_side_px", "aspect", "bytes_per_pixel", "sharpness", "jpeg_quality")
_BINS = 10
_MAX_DEVIATION = 0.5  # of a movement's share in val or test, relative to its ratio
_MIN_PAINTINGS = 20  # of a movement in val or test: one of 20 is five points of recall
_SHORTCUT_MARGIN = 0.10  # balanced accuracy above random from which a facet is reported


def audit(
    entries: Sequence[Entry],
    excluded: Excluded,
    near_duplicates: Sequence[tuple[Entry, Entry]] = (),
    ratios: Ratios = DEFAULT_RATIOS,
) -> dict[str, Any]:
    """Return the audit of a dataset, as audit.json has it.

    Args:
        entries: all paintings
        excluded: what was left out
        near_duplicates: pairs of paintings that show the same, also ones that were then left out
        ratios: the intended shares of the splits
    """
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
        "styles_of_no_movement": dict(Counter(excluded.unmapped).most_common()),
        "rejected": dict(Counter(excluded.rejected).most_common()),
        "unmatched_exclusions": list(excluded.unmatched),
    }


def stratification(entries: Sequence[Entry], ratios: Ratios) -> dict[str, Any]:
    """Return how far each movement's shares in the splits are from the ratios, and warnings of large deviations.

    Groups fall independently, so a share has a standard deviation of sqrt(p (1 - p) / n), where p is the ratio and n
    the effective number of groups: 1 over the sum of their squared weights (Kish, "Survey Sampling", 1965, section
    11.7). One artist with half of a movement's paintings has more effect than a hundred with one painting each.
    """
    targets = {split: float(getattr(ratios, split)) for split in SPLITS}
    movements = {}
    for name in sorted({entry.movement for entry in entries}):
        own = [entry for entry in entries if entry.movement == name]
        movements[name] = {"paintings": len(own), "shares": _shares(own), **_groups(own)}
    return {
        "ratios": targets,
        "overall": _shares(entries),
        "movements": movements,
        "largest_deviation": max(
            (abs(each["shares"][split] - targets[split]) for each in movements.values() for split in SPLITS), default=0
        ),
        "warnings": [
            {"movement": name, "split": split, "paintings": count, "share": share, "ratio": targets[split]}
            for name, each in movements.items()
            for split in ("val", "test")
            if targets[split] > 0
            for share in [each["shares"][split]]
            for count in [round(share * each["paintings"])]
            if count < _MIN_PAINTINGS or abs(share - targets[split]) > _MAX_DEVIATION * targets[split]
        ],
    }


def _shares(entries: Sequence[Entry]) -> dict[str, float]:
    counts = Counter(entry.split for entry in entries)
    return {split: counts[split] / max(1, len(entries)) for split in SPLITS}


def _groups(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return the number of groups, how many independent ones they amount to, and the largest that has a name."""
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
    """Return the pairs' number, the groups that they form, and those that disagree in movement, artist or split."""

    def sources(differ: Callable[[Entry, Entry], bool]) -> list[list[str]]:
        return [[first.source, second.source] for first, second in pairs if differ(first, second)]

    return {
        "pairs": len(pairs),
        "groups": _group_sources(pairs),
        "under_two_movements": sources(lambda first, second: first.movement != second.movement),
        "under_two_artists": sources(
            lambda first, second: None not in (first.artist, second.artist) and first.artist != second.artist
        ),
        "across_splits": sources(lambda first, second: first.split != second.split),
    }


def _group_sources(pairs: Sequence[tuple[Entry, Entry]]) -> list[list[str]]:
    """Return the sources that chains of pairs connect, a list for each painting."""
    indices: dict[Entry, int] = {}
    for entry in (entry for pair in pairs for entry in pair):
        indices.setdefault(entry, len(indices))
    labels = clusters(len(indices), [(indices[first], indices[second]) for first, second in pairs])
    groups: dict[int, list[str]] = {}
    for entry, label in zip(indices, labels, strict=True):
        groups.setdefault(label, []).append(entry.source)
    return list(groups.values())


def facet_report(entries: Sequence[Entry], facet: str) -> dict[str, Any]:
    """Return how well one facet of the files alone predicts the movements of test.

    The facet's range in train is divided into ten bins of equal count; each predicts the movement that is most
    over-represented in it. A balanced accuracy above random means that a network can take a shortcut.
    """
    movements = sorted({entry.movement for entry in entries})
    values = np.array([getattr(entry, facet) for entry in entries], np.float64)
    labels = np.array([movements.index(entry.movement) for entry in entries], np.int64)
    train = np.array([entry.split == "train" for entry in entries], bool)
    test = np.array([entry.split == "test" for entry in entries], bool)
    medians = {name: float(np.median(values[labels == index])) for index, name in enumerate(movements)}
    if not train.any() or not test.any():
        return {"medians": medians, "balanced_accuracy": None, "is_shortcut": False}
    edges = np.quantile(values[train], np.linspace(0, 1, _BINS + 1)[1:-1])
    bins = np.searchsorted(edges, values, side="right")
    counts = np.zeros((_BINS, len(movements)))
    np.add.at(counts, (bins[train], labels[train]), 1)
    predicted = (counts / np.maximum(counts.sum(0), 1)).argmax(1)
    accuracy = balanced_accuracy(labels[test], predicted[bins[test]], len(movements))
    random = 1 / len(movements)
    return {"medians": medians, "balanced_accuracy": accuracy, "is_shortcut": accuracy > random + _SHORTCUT_MARGIN}


def artists_across_splits(entries: Iterable[Entry]) -> list[str]:
    """Return the artists with paintings in more than one split: none where the split is by artist."""
    splits = defaultdict(set)
    for entry in entries:
        if entry.artist is not None:
            splits[entry.artist].add(entry.split)
    return sorted(artist for artist, names in splits.items() if len(names) > 1)


def majority_accuracy(entries: Sequence[Entry], split: str) -> float | None:
    """Return the accuracy of always predicting train's most frequent movement; None for an empty split."""
    train = Counter(entry.movement for entry in entries if entry.split == "train")
    tested = [entry.movement for entry in entries if entry.split == split]
    if not train or not tested:
        return None
    majority = train.most_common(1)[0][0]
    return sum(movement == majority for movement in tested) / len(tested)


def artist_oracle_accuracy(entries: Sequence[Entry], split: str) -> float | None:
    """Return the accuracy of predicting the most frequent movement of the painting's artist in train.

    For an artist that train lacks the prediction is the majority's, so with a split by artist this equals the majority
    baseline, and the difference measures how much the artist's name leaks. None for an empty split.
    """
    train = [entry for entry in entries if entry.split == "train"]
    tested = [entry for entry in entries if entry.split == split]
    if not train or not tested:
        return None
    majority = Counter(entry.movement for entry in train).most_common(1)[0][0]
    by_artist: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in train:
        if entry.artist is not None:
            by_artist[entry.artist][entry.movement] += 1
    correct = 0
    for entry in tested:
        counts = by_artist.get(entry.artist) if entry.artist is not None else None
        correct += (counts.most_common(1)[0][0] if counts else majority) == entry.movement
    return correct / len(tested)


def _count(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())
