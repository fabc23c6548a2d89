"""Measure what a model's embeddings tell of where a painting comes from, and what an unseen source costs.

    python benchmarks/shortcut.py DATA [--model FOLDER] [--rows TABLE]... [--natural COLLECTION]... [--cache FILE.npz]

DATA is a prepared dataset of several collections. A TABLE is a collection's own, with the columns `source` and `path`
or `new_filename`, and says from which repository each painting came; without one a collection is one source. Prints

1. how well a linear head tells the collections of each movement apart, by balanced accuracy over three folds that
   divide no artist: a network that sees the collection can take it for the movement;
2. what leaving a whole source out of training costs: the recall of its movements by a head that was fitted without it,
   and by one that was fitted with two thirds of it. No artist is on both sides, and the other sources lose all artists
   of the source in both cases. Only sources of `--natural` collections are left out, by default all.

The head is multinomial logistic regression, balanced by movement. `--cache` keeps embeddings for the next call.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artnet.data.artists import normalise_artist
from artnet.data.dataset import collection_of, iterate_rows, read_info
from artnet.data.split import SPLITS, group_folds
from artnet.evaluation.predictions import check_views, stored_view
from artnet.imaging.views import WHOLE
from artnet.metrics.classification import balanced_accuracy, confusion_matrix, recalls
from artnet.model.classifier import Classifier
from artnet.model.logistic_regression import fit_logistic_regression, out_of_fold_logits

FOLDS = 3
FEWEST = 20  # paintings of a collection in a movement, for the movement to be measured
FEWEST_OF_SOURCE = 90


@dataclass(frozen=True)
class Paintings:
    """N paintings: embeddings (N, E), movements (N,), collections, sources and groups (N,)."""

    embeddings: NDArray[np.float32]
    movements: NDArray[np.int64]
    collections: NDArray[np.str_]
    sources: NDArray[np.str_]
    groups: NDArray[np.str_]

    def subset(self, chosen: NDArray[np.bool_]) -> Paintings:
        return Paintings(*(values[chosen] for values in vars(self).values()))


def joined(first: Paintings, second: Paintings) -> Paintings:
    pairs = zip(vars(first).values(), vars(second).values(), strict=True)
    return Paintings(*(np.concatenate(pair) for pair in pairs))


def repositories(tables: Iterable[Path]) -> dict[str, str]:
    """Return the repository of each painting, by its `source` in a prepared dataset."""
    found = {}
    for table in tables:
        with table.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                found[f"{table.resolve().parent.name}/{row.get('path') or row['new_filename']}"] = row["source"]
    return found


def read_paintings(data: Path, tables: Sequence[Path]) -> tuple[Paintings, list[str]]:
    """Return a dataset's paintings without embeddings, and their ids."""
    by_source = repositories(tables)
    ids, rows = [], []
    for split in SPLITS:
        for row in iterate_rows(data, split, ["id", "movement", "artist", "source"]):
            ids.append(row["id"])
            artist = normalise_artist(row["artist"])
            collection = collection_of(row["source"])
            source = by_source.get(row["source"], collection)
            rows.append((row["movement"], collection, source, artist or row["id"]))
    movements, *texts = zip(*rows, strict=True)
    empty = np.zeros((len(ids), 0), np.float32)
    return Paintings(empty, np.array(movements, np.int64), *(np.array(text) for text in texts)), ids


def embed(data: Path, model: Path | None) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the id and the embedding of each painting's whole view."""
    classifier = Classifier.load(model)
    check_views(classifier.config, read_info(data), data)
    for split in SPLITS:
        for row in iterate_rows(data, split, ["id", "whole"]):
            embedding = classifier.infer([stored_view(row, WHOLE)], embed=True).embedding
            assert embedding is not None
            yield row["id"], embedding


def cached_embeddings(data: Path, model: Path | None, ids: Sequence[str], cache: Path | None) -> NDArray[np.float32]:
    if cache is not None and cache.exists():
        with np.load(cache, allow_pickle=False) as file:
            known = dict(zip(file["ids"].tolist(), file["embeddings"], strict=True))
    else:
        known = dict(embed(data, model))
        if cache is not None:
            np.savez(cache, ids=np.array(list(known)), embeddings=np.stack(list(known.values())))
    return np.stack([known[each] for each in ids]).astype(np.float32)


def predict(train: Paintings, labels: NDArray[np.int64], classes: int, tested: Paintings) -> NDArray[np.int64]:
    head = fit_logistic_regression(train.embeddings, labels, classes, balanced=True)
    chosen: NDArray[np.int64] = head.scores(tested.embeddings).argmax(1)
    return chosen


def out_of_fold(paintings: Paintings, labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Return what a head predicts of each painting that was fitted without its artist."""
    folds = group_folds(paintings.groups.tolist(), FOLDS)
    logits = out_of_fold_logits(paintings.embeddings, labels, classes, folds, balanced=True)
    chosen: NDArray[np.int64] = logits.argmax(1)
    return chosen


def print_collections_told(paintings: Paintings, movements: Sequence[str]) -> None:
    print("| movement | collections, paintings | balanced accuracy | at random |\n| --- | --- | ---: | ---: |")
    for index, movement in enumerate(movements):
        own = paintings.movements == index
        counts = Counter(paintings.collections[own].tolist())
        names = [name for name, count in counts.most_common() if count >= FEWEST]
        listed = ", ".join(f"{name} {counts[name]}" for name in names)
        if len(names) < 2:
            print(f"| {movement} | {listed} | one collection alone | |")
            continue
        chosen = paintings.subset(own & np.isin(paintings.collections, names))
        labels = np.array([names.index(name) for name in chosen.collections])
        score = balanced_accuracy(labels, out_of_fold(chosen, labels, len(names)), len(names))
        print(f"| {movement} | {listed} | {score:.3f} | {1 / len(names):.3f} |")


def leave_out(paintings: Paintings, source: str, classes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what is predicted of a source by heads that were fitted without it, and with two thirds of it."""
    inside = paintings.sources == source
    tested = paintings.subset(inside)
    rest = paintings.subset(~inside & ~np.isin(paintings.groups, tested.groups))
    without = predict(rest, rest.movements, classes, tested)
    folds = group_folds(tested.groups.tolist(), FOLDS)
    within = np.zeros_like(without)
    for fold in range(FOLDS):
        held_out = folds == fold
        together = joined(rest, tested.subset(~held_out))
        within[held_out] = predict(together, together.movements, classes, tested.subset(held_out))
    return without, within


def print_sources_left_out(paintings: Paintings, movements: Sequence[str], natural: Sequence[str]) -> None:
    counts = Counter(paintings.sources[np.isin(paintings.collections, natural)].tolist())
    names = [name for name, count in counts.most_common() if count >= FEWEST_OF_SOURCE]
    print(f"| source, fitted | paintings | balanced accuracy | {' | '.join(movements)} |")
    print(f"| --- | ---: | ---: {'| ---: ' * len(movements)}|")
    pooled = []
    for name in names:
        truth = paintings.movements[paintings.sources == name]
        without, within = leave_out(paintings, name, len(movements))
        pooled.append((truth, without, within))
        print_recalls(f"{name}, without it", truth, without, len(movements))
        print_recalls(f"{name}, with it", truth, within, len(movements))
    if pooled:
        truth, without, within = (np.concatenate(column) for column in zip(*pooled, strict=True))
        print_recalls("all of these, without theirs", truth, without, len(movements))
        print_recalls("all of these, with theirs", truth, within, len(movements))


def print_recalls(name: str, truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> None:
    recall = recalls(confusion_matrix(truth, predicted, classes))
    cells = [f"{value:.2f}" if np.isfinite(value) else "" for value in recall]
    print(f"| {name} | {len(truth)} | {np.nanmean(recall):.3f} | {' | '.join(cells)} |", flush=True)


def read_arguments(description: str) -> tuple[Paintings, tuple[str, ...], Sequence[str]]:
    """Return the paintings with their embeddings, the movements, and the collections of natural aspect ratio."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--rows", type=Path, action="append", default=[])
    parser.add_argument("--natural", action="append", default=[])
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    paintings, ids = read_paintings(options.data, options.rows)
    if len(set(paintings.sources.tolist())) < 2:
        parser.exit(1, f"{options.data}: all paintings are of one source, so the shortcut cannot be measured\n")
    embeddings = cached_embeddings(options.data, options.model, ids, options.cache)
    paintings = Paintings(**{**vars(paintings), "embeddings": embeddings})
    return paintings, read_info(options.data).movements, options.natural or sorted(set(paintings.collections.tolist()))


def main() -> None:
    paintings, movements, natural = read_arguments(__doc__ or "")
    print_collections_told(paintings, movements)
    print()
    print_sources_left_out(paintings, movements, natural)


if __name__ == "__main__":
    main()
