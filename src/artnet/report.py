"""Write an evaluation as files: report.json for programs, report.html for people.

Knows nothing about how the figures came about.
"""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape
from pathlib import Path

from artnet.card import write_card
from artnet.errors import OutputError
from artnet.evaluate import Report
from artnet.model import read_config, write_config

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 52rem; padding: 0 1rem;
       color: #262422; background: #faf9f6 }
h1 { font-weight: 500 } table { border-collapse: collapse; margin: 1rem 0 2rem }
th, td { padding: .35rem .8rem; text-align: right; border-bottom: 1px solid #dedad2 }
th:first-child, td:first-child { text-align: left } caption { text-align: left; color: #5f5b55; padding: .3rem 0 }
@media (prefers-color-scheme: dark) { body { color: #eceae5; background: #1d1c1a }
  th, td { border-color: #45423d } caption { color: #b5b0a7 } }
""".strip()


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
    """Compose the page; it stands alone, with its style inside and no address of any other host."""
    intro = (
        f"{report.paintings} paintings of the {report.split} split of {report.data}; {report.protocol}. Answering "
        f"the commonest movement every time would score {report.majority:.3f}."
    )
    body = "\n".join([_values(report), _confusion(report), _movements(report), _collections(report)])
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(report.model)}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{_STYLE}</style></head>\n<body><main>\n'
        f"<h1>{escape(report.model)}</h1>\n<p>{escape(intro)}</p>\n{body}\n</main></body></html>\n"
    )


def _values(report: Report) -> str:
    rows = [
        [name.replace("_", " "), f"{entry.value:.3f}", f"{entry.low:.3f} to {entry.high:.3f}"]
        for name, entry in report.values.items()
    ]
    return _table("Scores with 95 % bootstrap intervals over paintings", ["score", "value", "interval"], rows)


def _confusion(report: Report) -> str:
    rows = [
        [name, *(str(count) for count in row)] for name, row in zip(report.movements, report.confusion, strict=True)
    ]
    return _table("Confusion: a row is the truth, a column the answer", ["", *report.movements], rows)


def _movements(report: Report) -> str:
    rows = [
        [
            name,
            str(entry["paintings"]),
            "none to find" if entry["recall"] is None else f"{entry['recall']:.3f}",
        ]
        for name, entry in report.by_movement.items()
    ]
    return _table("Share found of each movement (recall)", ["movement", "paintings", "recall"], rows)


def _collections(report: Report) -> str:
    rows = [
        [name, str(entry["paintings"]), f"{entry['accuracy']:.3f}", f"{entry['balanced_accuracy']:.3f}"]
        for name, entry in report.by_collection.items()
    ]
    head = ["collection", "paintings", "accuracy", "balanced accuracy"]
    return _table("By collection; balanced over the movements it holds", head, rows)


def _table(caption: str, head: list[str], rows: list[list[str]]) -> str:
    cells = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    lines = [
        f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(text)}</td>" for text in rest) + "</tr>"
        for first, *rest in rows
    ]
    return f"<table><caption>{escape(caption)}</caption>\n<tr>{cells}</tr>\n" + "\n".join(lines) + "\n</table>"
