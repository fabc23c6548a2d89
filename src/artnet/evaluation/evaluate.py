"""Measure a model folder on a prepared dataset: every painting of a split, with the votes that users get.

Knows nothing about training and needs no torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from artnet.data.audit import Entry, artist_oracle_accuracy, majority_accuracy
from artnet.data.catalog import normalise_artist
from artnet.data.dataset import DatasetInfo, read_columns, read_info
from artnet.errors import DataError, UsageError
from artnet.evaluation.comparison import Comparison, compare
from artnet.evaluation.faithfulness import MapScores, evaluate_maps
from artnet.evaluation.ood import InDistribution, OodScores, check_ood_folders, measure_ood
from artnet.evaluation.predictions import Progress, Scores, SplitPredictions, check_fit, predict_split
from artnet.evaluation.scores import (
    Calibrated,
    GroupScores,
    MovementScores,
    Selective,
    StyleFigures,
    by_decision,
    by_group,
    by_movement,
    calibrated,
    overall,
    selective,
    styles_found,
)
from artnet.evaluation.worst_errors import WorstError, with_pictures, worst_errors
from artnet.imaging.views import REGIONS, VIEWS, WHOLE
from artnet.metrics.bootstrap import Interval
from artnet.metrics.classification import confusion_matrix
from artnet.model.classifier import Classifier
from artnet.model.prediction import decide
from artnet.taxonomy import index_styles

Views = Literal["voting", "all"]
CHOICES: tuple[Views, ...] = ("voting", "all")


@dataclass(frozen=True)
class EvaluateOptions:
    """What to measure besides: all six views, a second model, out-of-distribution folders, pictures of errors, and on
    how many paintings the faithfulness of heatmaps is measured.
    """

    views: Views = "voting"
    against: Classifier | None = None
    ood: tuple[str, ...] = ()
    pictures: bool = True
    faithfulness: int = 0


@dataclass(frozen=True)
class Report:
    """An evaluation; `to_dict` is report.json, `answers` and `scores` become predictions.csv."""

    model: str
    data: str
    split: str
    protocol: str
    movements: tuple[str, ...]
    paintings: int
    warnings: tuple[str, ...]
    values: Mapping[str, Interval]
    by_movement: Mapping[str, MovementScores]
    by_style: Mapping[str, GroupScores]
    by_collection: Mapping[str, GroupScores]
    by_decision: Mapping[str, GroupScores]
    by_views: Mapping[str, GroupScores]
    confusion: tuple[tuple[int, ...], ...]
    calibration: Mapping[str, Calibrated]
    selective: Selective
    baselines: Mapping[str, float | None]
    ood: Mapping[str, OodScores]
    comparison: Comparison | None
    mistakes: tuple[WorstError, ...]
    answers: SplitPredictions
    scores: Scores
    decisions: tuple[str, ...]
    maps: tuple[MapScores, ...] = ()
    styles: StyleFigures | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the report as plain JSON values; what cannot be measured is null."""
        apart = ("answers", "scores", "decisions", "mistakes")
        fields = {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__ if name not in apart}
        fields["mistakes"] = [
            {name: value for name, value in asdict(mistake).items() if name not in ("picture", "row")}
            for mistake in self.mistakes
        ]
        return fields

    def to_record(self) -> dict[str, Any]:
        """Give the part that travels in a model folder's config.json: figures, no paintings and no curves."""
        whole = self.to_dict()
        kept = ["model", "data", "split", "protocol", "movements", "paintings", "warnings", "values", "confusion"]
        shares = ("precision", "recall", "f1")
        return {
            **{name: whole[name] for name in kept},
            "by_movement": {
                name: {"paintings": entry["paintings"], **{share: entry[share]["value"] for share in shares}}
                for name, entry in whole["by_movement"].items()
            },
            "by_collection": {name: _values_only(entry) for name, entry in whole["by_collection"].items()},
            "by_decision": {name: _values_only(entry) for name, entry in whole["by_decision"].items()},
            "baselines": whole["baselines"],
            "calibration_error": {name: entry["error"] for name, entry in whole["calibration"].items()},
            "selective": {name: whole["selective"][name] for name in ("area", "threshold", "coverage", "accuracy")},
            "ood": whole["ood"],
            **({"styles": whole["styles"]} if self.styles else {}),
        }


@dataclass(frozen=True)
class Beside:
    """What an answered split is set beside: baselines, out-of-distribution images, a second model."""

    baselines: Mapping[str, float | None]
    ood: Mapping[str, OodScores] = field(default_factory=dict)
    comparison: Comparison | None = None


def evaluate(
    classifier: Classifier,
    data: Path,
    split: str = "test",
    options: EvaluateOptions = EvaluateOptions(),
    progress: Progress = lambda done, total: None,
) -> Report:
    """Answer every painting of a split and score the answers.

    Errors: `DataError` where the dataset's movements or views are not the model's, `UsageError` for `ood` and a model
    without an OOD detector.
    """
    info = read_info(data)
    against = options.against
    models = [classifier] if against is None else [classifier, against]
    for model in models:
        check_fit(model, info, data)
    check_ood_folders(classifier, options.ood)
    answers = predict_split(
        classifier, data, split, _views(classifier, options.views), lambda done, n: progress(done, n * len(models))
    )
    comparison = None
    if against is not None:
        other = predict_split(
            against, data, split, against.config.voting_views, lambda done, n: progress(n + done, n * len(models))
        )
        comparison = _compare((classifier, answers), (against, other))
    beside = Beside(baselines(data, info, split), _ood(classifier, answers, options.ood), comparison)
    report = assemble(classifier, info, split, answers, beside)
    if options.faithfulness:
        report = replace(report, maps=evaluate_maps(classifier, data, split, options.faithfulness, progress=progress))
    return replace(report, mistakes=with_pictures(report.mistakes, data, split)) if options.pictures else report


def assemble(
    classifier: Classifier, info: DatasetInfo, split: str, answers: SplitPredictions, beside: Beside
) -> Report:
    """Put together the report on a split that is answered."""
    config, y_true, movements = classifier.config, answers.y_true, info.movements
    scores = _as_users_get(classifier, answers)
    uncalibrated = answers.voted(config.view_weights, 1.0)
    decisions = _decisions(classifier, answers, scores)
    matrix = confusion_matrix(y_true, scores.argmax(1), len(movements))
    return Report(
        model=config.name,
        data=info.name,
        split=split,
        protocol=f"split by {info.split_by}, seed {info.seed}, views voting: " + ", ".join(config.voting_views),
        movements=movements,
        paintings=len(y_true),
        warnings=warnings_of(classifier, info, split),
        values=overall(y_true, scores),
        by_movement=by_movement(y_true, scores, movements),
        by_style=by_group(y_true, scores, _styles(answers, movements)),
        by_collection=by_group(y_true, scores, answers.collections),
        by_decision=by_decision(y_true, scores, decisions),
        by_views=_by_views(classifier, answers),
        confusion=tuple(tuple(int(count) for count in row) for row in matrix),
        calibration={"before": calibrated(y_true, uncalibrated), "after": calibrated(y_true, scores)},
        selective=selective(y_true, scores, config.calibration.unsure_below),
        baselines=beside.baselines,
        ood=beside.ood,
        comparison=beside.comparison,
        mistakes=worst_errors(answers, scores, movements),
        answers=answers,
        scores=scores,
        decisions=decisions,
        styles=_fine_styles(classifier, answers),
    )


def baselines(data: Path, info: DatasetInfo, split: str) -> dict[str, float | None]:
    """Score what needs no eyes: train's commonest movement, each artist's commonest in train, and chance.

    None where the dataset has no train split.
    """
    entries = []
    for name in {"train", split}:
        try:
            table = read_columns(data, name, ["movement", "style", "artist"])
        except DataError:
            continue  # a collection that is only measured on needs no train split
        entries += [
            Entry(info.movements[row["movement"]], row["style"], normalise_artist(row["artist"]), name)
            for row in table.to_pylist()
        ]
    return {
        "majority": majority_accuracy(entries, split),
        "artist_oracle": artist_oracle_accuracy(entries, split),
        "chance": 1 / len(info.movements),
    }


def warnings_of(classifier: Classifier, info: DatasetInfo, split: str) -> tuple[str, ...]:
    """Say why the figures may flatter the model: it may have been trained on what it is measured on."""
    if split == "train":
        return ("These are paintings of the train split: a model trained on them was told their answers.",)
    trained_on = classifier.config.training.get("train_sha256", "")
    if trained_on and info.train_sha256 and trained_on != info.train_sha256:
        return (
            f"The model was trained on another set of paintings than this dataset's train split. If {info.name} "
            f"overlaps with it, the {split} split may hold paintings that the model was trained on, and then the "
            "figures are too high. For a collection that had no part in the training they stand as they are.",
        )
    return ()


def checked_views(name: str) -> Views:
    """Check a choice of views. Errors: `UsageError`."""
    for views in CHOICES:
        if views == name:
            return views
    raise UsageError(f"views is {name!r}; use voting or all")


def _views(classifier: Classifier, wanted: str) -> tuple[str, ...]:
    return VIEWS if checked_views(wanted) == "all" else classifier.config.voting_views


def _as_users_get(classifier: Classifier, answers: SplitPredictions) -> Scores:
    return answers.voted(classifier.config.view_weights, classifier.config.calibration.temperature)


def _compare(first: tuple[Classifier, SplitPredictions], second: tuple[Classifier, SplitPredictions]) -> Comparison:
    names = (first[0].config.name, second[0].config.name)
    if names[0] == names[1]:
        names = (names[0], f"{names[1]}, the other")
    return compare(names, first[1].y_true, _as_users_get(*first), _as_users_get(*second))


def _ood(classifier: Classifier, answers: SplitPredictions, folders: tuple[str, ...]) -> dict[str, OodScores]:
    if answers.ood_score is None:
        return {}
    paintings = InDistribution(answers.ood_score, answers.collections)
    short = {folder: Path(folder).name or folder for folder in folders}
    unique = len(set(short.values())) == len(short)
    return {short[each] if unique else each: measure_ood(classifier, each, paintings) for each in folders}


def _decisions(classifier: Classifier, answers: SplitPredictions, scores: Scores) -> tuple[str, ...]:
    ood_score = [None] * len(scores) if answers.ood_score is None else answers.ood_score.tolist()
    return tuple(
        decide(classifier.config, float(confidence), each)
        for confidence, each in zip(scores.max(1), ood_score, strict=True)
    )


def _styles(answers: SplitPredictions, movements: tuple[str, ...]) -> list[str]:
    """Name styles with their movement, since two collections may spell one style in two ways."""
    return [
        f"{movements[movement]}: {style.replace('_', ' ')}"
        for movement, style in zip(answers.y_true, answers.styles, strict=True)
    ]


def _fine_styles(classifier: Classifier, answers: SplitPredictions) -> StyleFigures | None:
    scores = answers.voted_styles(classifier.config.view_weights)
    names = classifier.config.styles
    return None if scores is None else styles_found(index_styles(answers.styles, names), scores, names)


def _by_views(classifier: Classifier, answers: SplitPredictions) -> dict[str, GroupScores]:
    """Score the whole, the regions and all six, as far as they were computed, each view's vote the same."""
    groups = {"whole alone": (WHOLE,), "five regions alone": REGIONS, "all six alike": VIEWS}
    found = {}
    for name, views in groups.items():
        if set(views) <= set(answers.views):
            scores = answers.voted(dict.fromkeys(views, 1.0), classifier.config.calibration.temperature)
            found[name] = by_group(answers.y_true, scores, [name] * len(scores))[name]
    scores = _as_users_get(classifier, answers)
    found["as the model votes"] = by_group(answers.y_true, scores, ["all"] * len(scores))["all"]
    return found


def _values_only(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value["value"] if isinstance(value, dict) else value for name, value in entry.items()}


def _plain(value: Any) -> Any:
    """Turn dataclasses, arrays, tuples and NaN into what JSON knows."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
