"""The report of an evaluation by sections, and its files: report.json, report.html and predictions.csv."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artnet.atomic import atomic_write
from artnet.batch.table import score_column, set_field
from artnet.errors import output_errors
from artnet.evaluation.comparison import Comparison
from artnet.evaluation.faithfulness import DepthFaithfulness
from artnet.evaluation.ood import OodScores
from artnet.evaluation.predictions import ScoredSplit
from artnet.evaluation.report_html import report_page
from artnet.evaluation.scores import (
    CalibrationScores,
    GroupScores,
    MovementScores,
    SelectiveScores,
    SetReport,
    StyleReport,
)
from artnet.evaluation.worst_errors import WorstError
from artnet.metrics.bootstrap import Interval
from artnet.model.card import write_card
from artnet.model.config import read_config, write_config


@dataclass(frozen=True)
class Meta:
    """What was measured on what; `protocol` says how the data was split and which views vote."""

    model: str
    data: str
    split: str
    protocol: str
    movements: tuple[str, ...]
    paintings: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Groups:
    """Scores of groups of paintings, and the confusion matrix: `confusion[truth][prediction]` counts."""

    by_movement: Mapping[str, MovementScores]
    by_style: Mapping[str, GroupScores]
    by_collection: Mapping[str, GroupScores]
    by_decision: Mapping[str, GroupScores]
    by_views: Mapping[str, GroupScores]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Report:
    """An evaluation by sections; those with a default are empty unless they were requested.

    `calibration` has the keys "before" and "after" the model's temperature; a baseline is None without a train split.
    """

    meta: Meta
    overall: Mapping[str, Interval]
    groups: Groups
    calibration: Mapping[str, CalibrationScores]
    selective: SelectiveScores
    errors: tuple[WorstError, ...]
    sets: SetReport | None = None
    styles: StyleReport | None = None
    baselines: Mapping[str, float | None] = field(default_factory=dict)
    ood: Mapping[str, OodScores] = field(default_factory=dict)
    comparison: Comparison | None = None
    faithfulness: tuple[DepthFaithfulness, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return report.json as plain values; what cannot be measured is None."""
        sections = {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}
        return {**sections.pop("meta"), "values": sections.pop("overall"), **sections.pop("groups"), **sections}

    def to_record(self) -> dict[str, Any]:
        """Return the part for a model folder's config.json: scores without paintings and curves."""
        whole = self.to_dict()
        kept = (*Meta.__dataclass_fields__, "values", "confusion", "baselines", "ood")
        groups = ("by_movement", "by_collection", "by_decision")
        return {
            **{name: whole[name] for name in kept},
            **{name: {key: _values_only(entry) for key, entry in whole[name].items()} for name in groups},
            "calibration_error": {name: entry["error"] for name, entry in whole["calibration"].items()},
            "selective": {name: whole["selective"][name] for name in ("area", "threshold", "coverage", "accuracy")},
            **{name: whole[name] for name in ("sets", "styles") if whole[name]},
        }


@dataclass(frozen=True)
class Evaluation:
    """A report, the predictions that it is computed from, and a JPEG for each of its errors, if requested."""

    report: Report
    scored: ScoredSplit
    thumbnails: tuple[bytes, ...] = ()


def create_report_folder(folder: Path) -> None:
    """Create the folder of a report, so that one that cannot be written is refused before anything is measured."""
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)


def write_report(folder: Path, evaluation: Evaluation) -> None:
    """Write report.json, report.html and predictions.csv into a folder, which is created if necessary.

    Raises:
        OutputError: if the folder cannot be written
    """
    create_report_folder(folder)
    content = evaluation.report.to_dict()
    with output_errors(folder):
        with atomic_write(folder / "report.json") as path:
            path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        with atomic_write(folder / "report.html") as path:
            path.write_text(report_page(content, evaluation.thumbnails), encoding="utf-8")
        with atomic_write(folder / "predictions.csv") as path:
            write_predictions(path, evaluation.report.meta.movements, evaluation.scored)


def record_scores(folder: Path, report: Report) -> None:
    """Write an evaluation's scores into a model folder's config.json and card."""
    config = replace(read_config(folder), scores=report.to_record())
    with output_errors(folder):
        write_config(folder, config)
        write_card(folder, config)


def write_predictions(path: Path, movements: Sequence[str], scored: ScoredSplit) -> None:
    """Write the prediction for each painting as CSV, so that others can recompute every score."""
    predictions = scored.predictions
    names = ["id", "source", "style", "movement", "prediction", "confidence", "decision", "set", "ood_score"]
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow([*names, *map(score_column, movements)])
        for row, scores in enumerate(scored.scores):
            writer.writerow(
                [
                    predictions.ids[row],
                    predictions.sources[row],
                    predictions.styles[row],
                    movements[predictions.y_true[row]],
                    movements[scores.argmax()],
                    f"{scores.max():.6f}",
                    scored.decisions[row],
                    "" if scored.sets is None else set_field(_members(movements, scored.sets[row], scores)),
                    "" if predictions.ood_score is None else f"{predictions.ood_score[row]:.6g}",
                    *(f"{score:.6f}" for score in scores),
                ]
            )


def _members(movements: Sequence[str], members: NDArray[np.bool_], scores: NDArray[np.float64]) -> list[str]:
    """Return the names of a set's movements, the highest score first."""
    order = np.argsort(-scores, kind="stable")
    return [movements[index] for index in order if members[index]]


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
