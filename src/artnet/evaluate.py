"""Measure a model folder on a prepared dataset: every painting of a split, with the votes that users get.

Knows nothing about training and needs no torch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.classify import Classifier, network_input, vote
from artnet.dataset import DatasetInfo, count_rows, iterate_rows, read_info
from artnet.errors import DataError
from artnet.metrics import (
    Interval,
    accuracy,
    balanced_accuracy,
    bootstrap,
    calibration_error,
    confusion,
    macro_f1,
    negative_log_likelihood,
    recalls,
    top_k_accuracy,
)
from artnet.views import REGIONS, VIEWS, WHOLE, Box, View

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Answers:
    """What a model answered on a split: scores (N, C), and what the truth and the collection of each painting are."""

    y_true: NDArray[np.int64]
    scores: NDArray[np.float64]
    collections: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """An evaluation; `to_dict` is report.json."""

    model: str
    data: str
    split: str
    protocol: str
    movements: tuple[str, ...]
    paintings: int
    values: Mapping[str, Interval]
    by_movement: Mapping[str, Mapping[str, float | None]]
    by_collection: Mapping[str, Mapping[str, float]]
    confusion: tuple[tuple[int, ...], ...]
    majority: float

    def to_dict(self) -> dict[str, Any]:
        """Give the report as plain JSON values."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        fields["values"] = {
            name: {"value": entry.value, "low": entry.low, "high": entry.high} for name, entry in self.values.items()
        }
        plain: dict[str, Any] = json.loads(json.dumps(fields))
        return plain


def evaluate(classifier: Classifier, data: Path, split: str, progress: Progress = lambda done, total: None) -> Report:
    """Answer every painting of a split and score the answers.

    Errors: `DataError` where the dataset's movements or views are not the model's.
    """
    info = read_info(data)
    _check_fit(classifier, info, data)
    answers = answer_split(classifier, data, split, progress)
    return _report(classifier, info, split, answers)


def answer_split(classifier: Classifier, data: Path, split: str, progress: Progress) -> Answers:
    """Answer a split painting by painting; memory holds one painting's views."""
    config = classifier.config
    total = count_rows(data, split)
    weights = [config.view_weights[name] for name in config.voting_views]
    y_true, scores, collections = [], [], []
    columns = ["movement", "source", "whole"] + (["regions"] if set(config.voting_views) & set(REGIONS) else [])
    for row in iterate_rows(data, split, columns):
        views = [_stored_view(row, name) for name in config.voting_views]
        logits = classifier.engine.run(network_input(views, config.preprocessing), None, ["logits"])["logits"]
        scores.append(vote(logits, weights, config.calibration.temperature))
        y_true.append(row["movement"])
        collections.append(row["source"].split("/")[0])
        progress(len(scores), total)
    if not scores:
        raise DataError(f"{data}: the {split} split is empty")
    return Answers(np.array(y_true, np.int64), np.stack(scores), tuple(collections))


def _check_fit(classifier: Classifier, info: DatasetInfo, data: Path) -> None:
    config = classifier.config
    expected = (config.movements, config.preprocessing.size_px, config.preprocessing.fit)
    if (info.movements, info.size_px, info.fit) != expected:
        raise DataError(
            f"{data}: holds {info.fit} views of {info.size_px} px of {', '.join(info.movements)}, the model wants "
            f"{config.preprocessing.fit} views of {config.preprocessing.size_px} px of {', '.join(config.movements)}; "
            f"prepare the dataset with --size-px {config.preprocessing.size_px} --fit {config.preprocessing.fit}"
        )


def _stored_view(row: Mapping[str, Any], name: str) -> View:
    stored = row["whole"] if name == WHOLE else row["regions"][VIEWS.index(name) - 1]
    with Image.open(BytesIO(stored["bytes"])) as image:
        return View(name, Box(0, 0, image.width, image.height), image.convert("RGB"))


def _report(classifier: Classifier, info: DatasetInfo, split: str, answers: Answers) -> Report:
    movements = info.movements
    matrix = confusion(answers.y_true, answers.scores.argmax(1), len(movements))
    found = recalls(matrix)
    return Report(
        model=classifier.config.name,
        data=info.name,
        split=split,
        protocol=f"split by {info.split_by}, seed {info.seed}, views voting: "
        + ", ".join(classifier.config.voting_views),
        movements=movements,
        paintings=len(answers.y_true),
        values=_values(answers, len(movements)),
        by_movement={
            name: {"paintings": int(matrix[index].sum()), "recall": _or_none(found[index])}
            for index, name in enumerate(movements)
        },
        by_collection=_by_collection(answers, len(movements)),
        confusion=tuple(tuple(int(count) for count in row) for row in matrix),
        majority=float(matrix.sum(1).max() / matrix.sum()),
    )


def _values(answers: Answers, classes: int) -> dict[str, Interval]:
    """Score the answers, each with its interval over the same resampled paintings."""
    y_true, scores = answers.y_true, answers.scores
    y_pred = scores.argmax(1)
    statistics: dict[str, Callable[[NDArray[np.int64]], float]] = {
        "accuracy": lambda chosen: accuracy(y_true[chosen], y_pred[chosen]),
        "balanced_accuracy": lambda chosen: balanced_accuracy(y_true[chosen], y_pred[chosen], classes),
        "macro_f1": lambda chosen: macro_f1(y_true[chosen], y_pred[chosen], classes),
        "top_2_accuracy": lambda chosen: top_k_accuracy(y_true[chosen], scores[chosen], 2),
        "negative_log_likelihood": lambda chosen: negative_log_likelihood(y_true[chosen], scores[chosen]),
        "calibration_error": lambda chosen: calibration_error(y_true[chosen], scores[chosen]),
    }
    return {name: bootstrap(statistic, len(y_true), np.random.default_rng(0)) for name, statistic in statistics.items()}


def _by_collection(answers: Answers, classes: int) -> dict[str, dict[str, float]]:
    names = np.array(answers.collections)
    y_pred = answers.scores.argmax(1)
    result = {}
    for name in sorted(set(answers.collections)):
        chosen = names == name
        truth, answer = answers.y_true[chosen], y_pred[chosen]
        result[name] = {
            "paintings": int(chosen.sum()),
            "accuracy": accuracy(truth, answer),
            "balanced_accuracy": balanced_accuracy(truth, answer, classes),
        }
    return result


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
