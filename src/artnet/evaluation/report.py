"""Write an evaluation as files: report.json and predictions.csv for programs, report.html for people.

Knows nothing about how the figures came about.
"""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

from artnet.batch.table import score_column
from artnet.errors import OutputError
from artnet.evaluation.evaluate import Report
from artnet.evaluation.report_html import report_page
from artnet.model.card import write_card
from artnet.model.config import read_config, write_config


def check_report_folder(folder: Path) -> None:
    """Make the folder, or refuse one that cannot be written, before anything is measured."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made into a folder ({error.strerror or error})") from error


def write_report(folder: Path, report: Report) -> None:
    """Write report.json, report.html and predictions.csv into a folder, making it where it is not there.

    Errors: `OutputError` where it cannot be written.
    """
    check_report_folder(folder)
    try:
        text = json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n"
        (folder / "report.json").write_text(text, encoding="utf-8")
        (folder / "report.html").write_text(report_page(report), encoding="utf-8")
        write_predictions(folder / "predictions.csv", report)
    except OSError as error:
        raise OutputError(f"{folder}: the report cannot be written ({error.strerror or error})") from error


def record_scores(folder: Path, report: Report) -> None:
    """Write an evaluation's scores into a model folder's config.json and card."""
    config = replace(read_config(folder), scores=report.to_record())
    try:
        write_config(folder, config)
        write_card(folder, config)
    except OSError as error:
        raise OutputError(f"{folder}: the scores cannot be written ({error.strerror or error})") from error


def write_predictions(path: Path, report: Report) -> None:
    """Write what was answered on each painting, so that others can recompute every figure."""
    names = ["id", "source", "style", "movement", "answer", "confidence", "decision", "ood_score"]
    answers = report.answers
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow([*names, *(score_column(movement) for movement in report.movements)])
        for row, scores in enumerate(report.scores):
            truth, answer = (report.movements[index] for index in (answers.y_true[row], scores.argmax()))
            ood_score = "" if answers.ood_score is None else f"{answers.ood_score[row]:.6g}"
            facts = [answers.ids[row], answers.sources[row], answers.styles[row], truth, answer]
            said = [f"{scores.max():.6f}", report.decisions[row], ood_score]
            writer.writerow([*facts, *said, *(f"{score:.6f}" for score in scores)])
