"""The files of an audit of labels: suspects.csv to work on, suspects.html to look at."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from artnet.atomic import atomic_write
from artnet.data.split import SPLITS
from artnet.errors import output_errors
from artnet.evaluation.labels.audit import LabelAudit, Suspect
from artnet.evaluation.thumbnails import painting_thumbnails
from artnet.html.render import render

SUSPECTS_FILE = "suspects.csv"
PAGE_FILE = "suspects.html"
MOST_SHOWN = 500  # some 4 MB of thumbnails
_ROUNDED = 4  # decimals of scores in the table


def write_label_audit(folder: Path, audit: LabelAudit, data: Path) -> None:
    """Write suspects.csv and suspects.html into a folder, which must exist.

    Args:
        folder: to write into
        audit: what was found
        data: the dataset, whose paintings the page shows

    Raises:
        OutputError: if the folder cannot be written
    """
    shown = audit.suspects[:MOST_SHOWN]
    thumbnails: dict[str, bytes] = {}
    for split in SPLITS:
        if ids := {suspect.id for suspect in shown if suspect.split == split}:
            thumbnails |= painting_thumbnails(data, split, ids)
    with output_errors(folder):
        with atomic_write(folder / SUSPECTS_FILE) as path:
            _write_table(path, audit.suspects)
        with atomic_write(folder / PAGE_FILE) as path:
            path.write_text(label_page(audit, thumbnails), encoding="utf-8")


def label_page(audit: LabelAudit, thumbnails: dict[str, bytes]) -> str:
    """Return an audit of labels as one HTML page that refers to no other host.

    Args:
        audit: what was found
        thumbnails: a JPEG of each suspect to show, by its id
    """
    return render("labels.html.j2", audit=audit, thumbnails=thumbnails, movements=_by_movement(audit))


def _by_movement(audit: LabelAudit) -> list[dict[str, Any]]:
    """Return, for each movement, its paintings, the estimated share of wrong labels, and its suspects by suggestion."""
    pairs = Counter((suspect.labelled, suspect.suggested) for suspect in audit.suspects)
    return [
        {
            "name": name,
            "paintings": round(sum(row)),
            "wrong": 1 - row[index] / sum(row) if sum(row) else None,
            "suggested": [pairs[name, other] for other in audit.movements],
        }
        for index, (name, row) in enumerate(zip(audit.movements, audit.joint, strict=True))
    ]


def _write_table(path: Path, suspects: tuple[Suspect, ...]) -> None:
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Suspect)])
        writer.writeheader()
        for suspect in suspects:
            rounded = {name: round(getattr(suspect, name), _ROUNDED) for name in ("self_confidence", "margin")}
            writer.writerow({**asdict(suspect), **rounded})
