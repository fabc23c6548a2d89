"""Write an evaluation as files: report.json for programs, report.html for people.

Knows nothing about how the figures came about.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from artnet.card import write_card
from artnet.errors import OutputError
from artnet.evaluate import Report
from artnet.model import read_config, write_config
from artnet.page import page, table


def check_report_folder(folder: Path) -> None:
    """Make the folder, or refuse one that cannot be written, before anything is measured."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made into a folder ({error.strerror or error})") from error


def write_report(folder: Path, report: Report) -> None:
    """Write report.json and report.html into a folder, making it where it is not there.

    Errors: `OutputError` where it cannot be written.
    """
    check_report_folder(folder)
    try:
        text = json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n"
        (folder / "report.json").write_text(text, encoding="utf-8")
        (folder / "report.html").write_text(report_page(report), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder}: the report cannot be written ({error.strerror or error})") from error


def record_scores(folder: Path, report: Report) -> None:
    """Write an evaluation's scores into a model folder's config.json and card."""
    config = replace(read_config(folder), scores=report.to_dict())
    try:
        write_config(folder, config)
        write_card(folder, config)
    except OSError as error:
        raise OutputError(f"{folder}: the scores cannot be written ({error.strerror or error})") from error


def report_page(report: Report) -> str:
    """Compose the report as one page."""
    intro = (
        f"{report.paintings} paintings of the {report.split} split of {report.data}; {report.protocol}. Answering "
        f"the commonest movement every time would score {report.majority:.3f}."
    )
    return page(report.model, intro, [_values(report), _confusion(report), _movements(report), _collections(report)])


def _values(report: Report) -> str:
    rows = [
        [name.replace("_", " "), f"{entry.value:.3f}", f"{entry.low:.3f} to {entry.high:.3f}"]
        for name, entry in report.values.items()
    ]
    return table("Scores with 95 % bootstrap intervals over paintings", ["score", "value", "interval"], rows)


def _confusion(report: Report) -> str:
    rows = [
        [name, *(str(count) for count in row)] for name, row in zip(report.movements, report.confusion, strict=True)
    ]
    return table("Confusion: a row is the truth, a column the answer", ["", *report.movements], rows)


def _movements(report: Report) -> str:
    rows = [
        [
            name,
            str(entry["paintings"]),
            "none to find" if entry["recall"] is None else f"{entry['recall']:.3f}",
        ]
        for name, entry in report.by_movement.items()
    ]
    return table("Share found of each movement (recall)", ["movement", "paintings", "recall"], rows)


def _collections(report: Report) -> str:
    rows = [
        [name, str(entry["paintings"]), f"{entry['accuracy']:.3f}", f"{entry['balanced_accuracy']:.3f}"]
        for name, entry in report.by_collection.items()
    ]
    head = ["collection", "paintings", "accuracy", "balanced accuracy"]
    return table("By collection; balanced over the movements it holds", head, rows)
