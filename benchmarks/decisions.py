"""Compare how temperature, threshold and prediction sets are chosen, by leaving sources out.

    python benchmarks/decisions.py DATA --sources TABLE.csv [--model FOLDER]

TABLE.csv tells by its columns new_filename and source where each painting of a collection was found; a painting that it
does not list has its collection as source. Paintings of val and test are pooled; all that is chosen is chosen on the
others and measured on those of the source left out, or chosen on val and measured on test. Only paintings of natural
aspect ratio are measured.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artnet.data.dataset import read_columns
from artnet.evaluation.calibration import fit_calibration, movement_weights
from artnet.evaluation.predictions import SplitPredictions, predict_split
from artnet.metrics.calibration import calibration_error, fit_temperature, negative_log_likelihood
from artnet.metrics.classification import softmax
from artnet.metrics.conformal import conformal_quantile, masses_above, prediction_sets
from artnet.model.classifier import Classifier
from artnet.training.export.calibrate import natural_paintings

Floats = NDArray[np.float64]
COVERAGE = 0.9
MIN_SOURCE = 100  # paintings of a source of its own; the others are one together
RNG = np.random.default_rng(0)


def loss_at(logits: Floats, y_true: NDArray[np.int64], temperature: float) -> float:
    """Return the mean negative log-likelihood at a temperature."""
    return negative_log_likelihood(y_true, softmax(logits, temperature))


def up_to(scores: Floats) -> Floats:
    """The sum of the scores up to and including each movement: U = 1 (Angelopoulos and Bates, section 2.1)."""
    return masses_above(scores) + scores


def at_random(scores: Floats) -> Floats:
    """The randomised score of Romano et al., 2020."""
    return masses_above(scores) + RNG.random((len(scores), 1)) * scores


def least_ambiguous(scores: Floats) -> Floats:
    """1 - score: the smallest sets on average (Sadinle et al., 2019), not adaptive."""
    return 1 - scores


def regularised(scores: Floats) -> Floats:
    """RAPS without its random part (Angelopoulos et al., 2021): 0.1 more for each rank after the second."""
    ranks = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
    return masses_above(scores) + 0.1 * np.maximum(ranks - 1, 0)


SET_SCORES: dict[str, Callable[[Floats], Floats]] = {
    "adaptive, U = 0": masses_above,
    "adaptive, U = 1": up_to,
    "adaptive, randomised": at_random,
    "adaptive, regularised (RAPS), U = 0": regularised,
    "least ambiguous": least_ambiguous,
}


@dataclass(frozen=True)
class Paintings:
    """Logits (N, C), movements (N,), whether each is natural and of test, and sources."""

    logits: Floats
    y_true: NDArray[np.int64]
    natural: NDArray[np.bool_]
    test: NDArray[np.bool_]
    sources: NDArray[np.str_]


def read_paintings(classifier: Classifier, data: Path, table: Path) -> Paintings:
    with table.open(encoding="utf-8", newline="") as file:
        source_of = {row["new_filename"]: row["source"].split("_WikiArt")[0] for row in csv.DictReader(file)}
    splits: list[SplitPredictions] = []
    natural = []
    for name in ("val", "test"):
        splits.append(predict_split(classifier, data, name, ("whole",), lambda done, total: None))
        sizes = read_columns(data, name, ["width", "height"])
        natural.append(natural_paintings(sizes["width"].to_numpy(), sizes["height"].to_numpy(), splits[-1].collections))
    names = [
        source_of.get(source.rpartition("/")[2], collection)
        for split in splits
        for source, collection in zip(split.sources, split.collections, strict=True)
    ]
    counts = Counter(names)
    return Paintings(
        np.concatenate([split.logits[:, 0] for split in splits]).astype(np.float64),
        np.concatenate([split.y_true for split in splits]),
        np.concatenate(natural),
        np.repeat([False, True], [len(split.y_true) for split in splits]),
        np.array([name if counts[name] >= MIN_SOURCE else "all smaller sources" for name in names]),
    )


def compare_sets(paintings: Paintings) -> None:
    """Print coverage and size of sets made of each score, fitted on val and measured on test."""
    rows = [paintings.natural & ~paintings.test, paintings.natural & paintings.test]
    (val, val_true), (test, test_true) = ((softmax(paintings.logits[row]), paintings.y_true[row]) for row in rows)
    print(f"{len(val)} natural paintings of val, {len(test)} of test\n")
    print("| sets | movements | coverage | by movement | movements in a set |\n| --- | --- | ---: | --- | ---: |")
    for name, measure in SET_SCORES.items():
        for alike in (False, True):
            values = measure(val)[np.arange(len(val)), val_true]
            threshold = conformal_quantile(values, COVERAGE, movement_weights(val_true) if alike else None)
            sets = measure(test) <= threshold
            sets[np.arange(len(sets)), test.argmax(1)] = True  # some of these could be empty
            held = sets[np.arange(len(sets)), test_true]
            each = ", ".join(f"{held[test_true == movement].mean():.2f}" for movement in np.unique(test_true))
            print(
                f"| {name} | {'alike' if alike else 'as they come'} | {held.mean():.3f} | {each} | "
                f"{sets.sum(1).mean():.2f} |"
            )


def compare_sources(paintings: Paintings) -> None:
    """Print what is chosen without a source, and how it does on that source."""
    print(
        "\n| measured on | paintings | accuracy | calibration error, temperature of natural paintings | of all |",
        end="",
    )
    print(" confident | of these correct | sets with the truth | movements in a set |")
    print("| --- " + "| ---: " * 8 + "|")
    natural = paintings.natural
    folds = {"test": (paintings.test, ~paintings.test)}
    folds |= {
        str(name): (paintings.sources == name, paintings.sources != name)
        for name in np.unique(paintings.sources[natural])
    }
    for name, (out, fitted) in folds.items():
        rows, truth = out & natural, paintings.y_true[out & natural]
        errors = []
        for chosen in (fitted & natural, fitted):
            logits, y_true = paintings.logits[chosen], paintings.y_true[chosen]
            temperature = fit_temperature(partial(loss_at, logits, y_true))
            errors.append(calibration_error(truth, softmax(paintings.logits[rows], temperature)))
        found = fit_calibration(paintings.logits[fitted][:, None], [1.0], paintings.y_true[fitted], natural[fitted])
        assert found.set_threshold is not None
        scores = softmax(paintings.logits[rows], found.temperature)
        correct, kept = scores.argmax(1) == truth, scores.max(1) >= found.unsure_below
        sets = prediction_sets(scores, found.set_threshold)
        print(
            f"| {name} | {len(truth)} | {correct.mean():.3f} | {errors[0]:.3f} | {errors[1]:.3f} | {kept.mean():.2f} | "
            f"{correct[kept].mean():.3f} | {sets[np.arange(len(truth)), truth].mean():.3f} | {sets.sum(1).mean():.2f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sources", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    paintings = read_paintings(Classifier.load(options.model), options.data, options.sources)
    compare_sets(paintings)
    compare_sources(paintings)


if __name__ == "__main__":
    main()
