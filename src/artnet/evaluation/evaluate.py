"""Evaluation of a model folder on a split of a prepared dataset, with the scores and decisions that users get."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from artnet.data.artists import normalise_artist
from artnet.data.audit import Entry, artist_oracle_accuracy, majority_accuracy
from artnet.data.dataset import DatasetInfo, read_columns, read_info
from artnet.errors import DataError, UsageError
from artnet.evaluation.comparison import Comparison, compare
from artnet.evaluation.faithfulness import measure_faithfulness
from artnet.evaluation.ood import InDistribution, OodScores, check_ood_folders, measure_ood
from artnet.evaluation.predictions import (
    Progress,
    ScoredSplit,
    SplitPredictions,
    check_dataset,
    predict_split,
    score_split,
)
from artnet.evaluation.report import Evaluation, Groups, Meta, Report
from artnet.evaluation.scores import (
    GroupScores,
    SetReport,
    StyleReport,
    by_decision,
    by_group,
    by_movement,
    calibration_scores,
    overall,
    selective,
    set_report,
    style_report,
)
from artnet.evaluation.thumbnails import painting_thumbnails
from artnet.evaluation.worst_errors import worst_errors
from artnet.imaging.views import REGIONS, VIEWS, WHOLE
from artnet.metrics.classification import confusion_matrix
from artnet.model.classifier import Classifier
from artnet.model.config import ModelConfig
from artnet.model.prediction import likely_styles
from artnet.taxonomy import index_styles

Views = Literal["voting", "all"]


@dataclass(frozen=True)
class EvaluateOptions:
    """What to measure besides.

    Attributes:
        views: "voting" runs the views that vote, "all" all six, to compare them.
        against: A second model, to compare on the same paintings.
        ood: Folders of out-of-distribution images.
        thumbnails: Whether to keep small copies of the paintings of the most confident errors.
        faithfulness: Number of paintings on which to measure the heatmaps.
    """

    views: Views = "voting"
    against: Classifier | None = None
    ood: tuple[str, ...] = ()
    thumbnails: bool = True
    faithfulness: int = 0


def evaluate(
    classifier: Classifier,
    data: Path,
    split: str = "test",
    options: EvaluateOptions = EvaluateOptions(),
    progress: Progress = lambda done, total: None,
) -> Evaluation:
    """Predict every painting of a split and score the predictions.

    Raises:
        DataError: if the dataset cannot be read, or its movements or views are not the model's
        UsageError: if `options.ood` names a folder and the model has no out-of-distribution detector
    """
    if options.views not in get_args(Views):
        raise UsageError(f"views is {options.views!r}; use voting or all")
    info = read_info(data)
    against = options.against
    models = [classifier] if against is None else [classifier, against]
    for model in models:
        check_dataset(model.config, info, data)
    check_ood_folders(classifier.config, options.ood)
    views = VIEWS if options.views == "all" else classifier.config.voting_views
    predictions = predict_split(classifier, data, split, views, lambda done, n: progress(done, n * len(models)))
    scored = score_split(classifier.config, predictions)
    comparison = None
    if against is not None:
        second = predict_split(
            against, data, split, against.config.voting_views, lambda done, n: progress(n + done, n * len(models))
        )
        comparison = _comparison((classifier.config, scored), (against.config, score_split(against.config, second)))
    report = replace(
        build_report(classifier.config, info, split, scored),
        baselines=baselines(data, info, split),
        ood=_ood(classifier, predictions, options.ood),
        comparison=comparison,
    )
    if options.faithfulness:
        depths = measure_faithfulness(classifier, data, split, options.faithfulness, progress=progress)
        report = replace(report, faithfulness=depths)
    if not options.thumbnails:
        return Evaluation(report, scored)
    jpegs = painting_thumbnails(data, split, {error.id for error in report.errors})
    return Evaluation(report, scored, tuple(jpegs[error.id] for error in report.errors))


def build_report(config: ModelConfig, info: DatasetInfo, split: str, scored: ScoredSplit) -> Report:
    """Return the report on a split's predictions, without the sections that need more than these."""
    y_true, scores = scored.predictions.y_true, scored.scores
    uncalibrated = scored.predictions.voted(config.view_weights, 1.0)
    return Report(
        meta=Meta(
            model=config.name,
            data=info.name,
            split=split,
            protocol=f"split by {info.split_by}, seed {info.seed}, views voting: " + ", ".join(config.voting_views),
            movements=info.movements,
            paintings=len(y_true),
            warnings=(*overlap_warnings(config, info, split), *trim_warnings(config, info)),
        ),
        overall=overall(y_true, scores),
        groups=_groups(config, info.movements, scored),
        calibration={"before": calibration_scores(y_true, uncalibrated), "after": calibration_scores(y_true, scores)},
        selective=selective(y_true, scores, config.calibration.unsure_below),
        sets=_sets(config, info.movements, scored),
        styles=_styles(config, scored.predictions),
        errors=worst_errors(scored, info.movements),
    )


def baselines(data: Path, info: DatasetInfo, split: str) -> dict[str, float | None]:
    """Return the accuracies of train's most frequent movement, of each artist's in train, and of a random guess.

    The first two are None where the dataset has no train split.
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
        "random": 1 / len(info.movements),
    }


def trim_warnings(config: ModelConfig, info: DatasetInfo) -> tuple[str, ...]:
    """Return a warning if the dataset's views were cut with the margins that the model leaves out, or without them."""
    if config.preprocessing.trim == info.trim:
        return ()
    dataset, model = ("leaves out", "keeps") if info.trim else ("keeps", "leaves out")
    option = "" if config.preprocessing.trim else " with --no-trim"
    return (
        f"This dataset {dataset} the margins around its paintings, and the model {model} them when it classifies. The "
        f"scores of the few images with margins may be others in use; prepare the dataset again{option} to see.",
    )


def overlap_warnings(config: ModelConfig, info: DatasetInfo, split: str) -> tuple[str, ...]:
    """Return warnings if the model may have been trained on what it is measured on."""
    if split == "train":
        return ("These are paintings of the train split: a model trained on them has seen their labels.",)
    trained_on = config.training.get("train_sha256", "")
    if trained_on and info.train_sha256 and trained_on != info.train_sha256:
        return (
            f"The model was trained on another set of paintings than this dataset's train split. If {info.name} "
            f"overlaps with it, the {split} split may contain paintings that the model was trained on, and then the "
            "scores are too high. For a collection that had no part in the training they are valid.",
        )
    return ()


def _comparison(first: tuple[ModelConfig, ScoredSplit], second: tuple[ModelConfig, ScoredSplit]) -> Comparison:
    names = (first[0].name, second[0].name)
    if names[0] == names[1]:
        names = (names[0], f"{names[1]} (second)")
    return compare(names, first[1].predictions.y_true, first[1].scores, second[1].scores)


def _ood(classifier: Classifier, predictions: SplitPredictions, folders: tuple[str, ...]) -> dict[str, OodScores]:
    if predictions.ood_score is None:
        return {}
    paintings = InDistribution(predictions.ood_score, predictions.collections)
    short = {folder: Path(folder).name or folder for folder in folders}
    unique = len(set(short.values())) == len(short)
    return {short[each] if unique else each: measure_ood(classifier, each, paintings) for each in folders}


def _groups(config: ModelConfig, movements: tuple[str, ...], scored: ScoredSplit) -> Groups:
    predictions, scores = scored.predictions, scored.scores
    y_true = predictions.y_true
    # A style is named with its movement, since two collections may spell one style in two ways.
    styles = [
        f"{movements[movement]}: {style.replace('_', ' ')}"
        for movement, style in zip(y_true, predictions.styles, strict=True)
    ]
    matrix = confusion_matrix(y_true, scores.argmax(1), len(movements))
    return Groups(
        by_movement=by_movement(y_true, scores, movements),
        by_style=by_group(y_true, scores, styles),
        by_collection=by_group(y_true, scores, predictions.collections),
        by_decision=by_decision(y_true, scores, scored.decisions),
        by_views=_by_views(config, scored),
        confusion=tuple(tuple(int(count) for count in row) for row in matrix),
    )


def _by_views(config: ModelConfig, scored: ScoredSplit) -> dict[str, GroupScores]:
    """Score the whole, the regions and all six with equal votes, as far as they were computed."""
    predictions, temperature = scored.predictions, config.calibration.temperature
    groups = {"whole alone": (WHOLE,), "five regions alone": REGIONS, "all six alike": VIEWS}
    scores = {
        name: predictions.voted(dict.fromkeys(views, 1.0), temperature)
        for name, views in groups.items()
        if set(views) <= set(predictions.views)
    }
    scores["as the model votes"] = scored.scores
    return {name: by_group(predictions.y_true, each, [name] * len(each))[name] for name, each in scores.items()}


def _sets(config: ModelConfig, movements: tuple[str, ...], scored: ScoredSplit) -> SetReport | None:
    if scored.sets is None:
        return None
    predictions, target = scored.predictions, config.calibration.set_coverage
    return set_report(predictions.y_true, scored.sets, movements, predictions.collections, target)


def _styles(config: ModelConfig, predictions: SplitPredictions) -> StyleReport | None:
    scores = predictions.voted_styles(config.view_weights)
    names = config.styles
    if scores is None:
        return None
    likely = [likely_styles(dict(zip(names, row, strict=True)), config.style_thresholds) for row in scores.tolist()]
    shown = np.array([[name in each for name in names] for each in likely])
    return style_report(index_styles(predictions.styles, names), scores, shown, names)
