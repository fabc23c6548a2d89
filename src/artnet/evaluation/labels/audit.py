"""The labels of a prepared dataset that look wrong to a model's embeddings."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artnet.data.artists import normalise_artist
from artnet.data.dataset import DatasetInfo, count_rows, iterate_rows, read_info
from artnet.data.duplicates import Fingerprint, clusters, fingerprint, near_duplicates
from artnet.data.split import SPLITS, group_folds
from artnet.errors import DataError
from artnet.evaluation.predictions import Progress, check_views, stored_view
from artnet.imaging.views import WHOLE, Box, View, without_letterbox
from artnet.metrics.classification import balanced_accuracy, softmax
from artnet.metrics.confident_learning import confident_labels, estimated_joint, label_issues, normalised_margins
from artnet.model.classifier import Classifier
from artnet.model.config import ModelConfig
from artnet.model.logistic_regression import out_of_fold_logits

FOLDS = 5
_COLUMNS = ("id", "source", "style", "movement", "artist", "title", "width", "height", "whole")


@dataclass(frozen=True)
class Suspect:
    """A painting whose label looks wrong.

    Attributes:
        labelled: the movement that it is labelled with
        suggested: the movement that it looks like
        self_confidence: out-of-fold score of the label, 0 to 1
        margin: that score less the highest other, -1 to 0: the lower, the surer
    """

    id: str
    source: str
    split: str
    style: str
    labelled: str
    suggested: str
    self_confidence: float
    margin: float
    artist: str | None
    title: str | None


@dataclass(frozen=True)
class LabelAudit:
    """What a dataset's labels look like to a linear head that saw neither a painting nor its group.

    Attributes:
        balanced_accuracy: of the out-of-fold scores against the labels
        joint: estimated number of paintings of each label (row) and true movement (column)
        suspects: the surest first
    """

    data: str
    model: str
    movements: tuple[str, ...]
    paintings: int
    balanced_accuracy: float
    joint: tuple[tuple[float, ...], ...]
    suspects: tuple[Suspect, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Embedded:
    """All paintings of a dataset: rows without their images, embeddings (N, E) and labels (N,)."""

    rows: Sequence[dict[str, Any]]
    embeddings: NDArray[np.float32]
    labels: NDArray[np.int64]
    groups: Sequence[Hashable]


def audit_labels(classifier: Classifier, data: Path, progress: Progress = lambda done, total: None) -> LabelAudit:
    """Return the labels of all splits that look wrong.

    Each painting is scored by a linear head on embeddings that was fitted without the painting, its artist's others and
    its near-duplicates; confident learning says which labels contradict these scores.

    Raises:
        DataError: if the dataset cannot be read, its views are not the model's, or all paintings of a movement are of
            one artist
    """
    info = read_info(data)
    check_views(classifier.config, info, data)
    paintings = _embed(classifier, data, info, progress)
    scores = out_of_fold_scores(paintings.embeddings, paintings.labels, paintings.groups, info.movements)
    return LabelAudit(
        data=info.name,
        model=classifier.config.name,
        movements=info.movements,
        paintings=len(paintings.rows),
        balanced_accuracy=balanced_accuracy(paintings.labels, scores.argmax(1), len(info.movements)),
        joint=tuple(tuple(row) for row in estimated_joint(paintings.labels, scores).tolist()),
        suspects=tuple(_suspects(paintings, scores, info.movements)),
        warnings=_warnings(classifier.config, info),
    )


def out_of_fold_scores(
    embeddings: NDArray[np.floating], labels: NDArray[np.int64], groups: Sequence[Hashable], movements: Sequence[str]
) -> NDArray[np.float64]:
    """Return the scores (N, C) of each painting by a head that was fitted without its group.

    Args:
        embeddings: (N, E)
        labels: (N,) indices of `movements`
        groups: of the N paintings
        movements: their C names

    Raises:
        DataError: if the paintings of a movement are all in one fold
    """
    folds = group_folds(groups, FOLDS)
    for fold in range(FOLDS):
        held_out = folds == fold
        absent = set(labels[held_out].tolist()) - set(labels[~held_out].tolist())
        if absent:
            raise DataError(
                f"all paintings of {movements[min(absent)]} are of one artist or show the same, so no head can judge "
                "them without having seen them; add paintings by others, or leave the movement out with artnet prepare "
                "--without"
            )
    return softmax(out_of_fold_logits(embeddings, labels, len(movements), folds))


def painting_groups(artists: Sequence[str | None], fingerprints: Sequence[Fingerprint]) -> list[int]:
    """Return a label for each painting that it shares with its artist's others and with its near-duplicates."""
    by_artist: dict[str, list[int]] = {}
    for index, artist in enumerate(artists):
        if (name := normalise_artist(artist)) is not None:
            by_artist.setdefault(name, []).append(index)
    same_artist = [pair for indices in by_artist.values() for pair in pairwise(indices)]
    return clusters(len(artists), [*same_artist, *near_duplicates(fingerprints)])


def _embed(classifier: Classifier, data: Path, info: DatasetInfo, progress: Progress) -> _Embedded:
    splits = [split for split, ratio in zip(SPLITS, info.ratios, strict=True) if ratio > 0]
    total = sum(count_rows(data, split) for split in splits)
    rows, embeddings, fingerprints = [], [], []
    for row in _rows(data, splits):
        view = stored_view(row, WHOLE)
        embeddings.append(classifier.infer([view], embed=True).embedding)
        shown = without_letterbox(View(WHOLE, Box(0, 0, row["width"], row["height"]), view.image), info.fit)
        fingerprints.append(fingerprint(shown, row["width"] / row["height"]))
        del row["whole"]
        rows.append(row)
        progress(len(rows), total)
    groups = painting_groups([row["artist"] for row in rows], fingerprints)
    labels = np.array([row["movement"] for row in rows], np.int64)
    return _Embedded(rows, np.array(embeddings, np.float32), labels, groups)


def _rows(data: Path, splits: Sequence[str]) -> Iterator[dict[str, Any]]:
    for split in splits:
        for row in iterate_rows(data, split, _COLUMNS):
            yield {**row, "split": split}


def _suspects(paintings: _Embedded, scores: NDArray[np.float64], movements: Sequence[str]) -> Iterator[Suspect]:
    suggested = confident_labels(paintings.labels, scores)
    margins = normalised_margins(paintings.labels, scores)
    for index in label_issues(paintings.labels, scores):
        row, label = paintings.rows[index], paintings.labels[index]
        yield Suspect(
            **{name: row[name] for name in ("id", "source", "split", "style", "artist", "title")},
            labelled=movements[label],
            suggested=movements[suggested[index]],
            self_confidence=float(scores[index, label]),
            margin=float(margins[index]),
        )


def _warnings(config: ModelConfig, info: DatasetInfo) -> tuple[str, ...]:
    trained_on = config.training.get("train_sha256", "")
    if trained_on and trained_on == info.train_sha256:
        return (
            "The model was trained on the labels of this dataset's train split and remembers some of them, so that "
            "wrong ones are found less often there; a model trained on other data finds more.",
        )
    return ()
