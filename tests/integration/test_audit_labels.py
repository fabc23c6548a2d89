"""Wrong labels are listed on a page and in a table, by which a person leaves them out of the next dataset."""

from __future__ import annotations

import csv
import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.cli.commands.audit_labels import audit_labels
from artnet.cli.commands.prepare import prepare
from artnet.data.dataset import count_rows
from artnet.data.split import SPLITS
from artnet.errors import DataError
from fixtures.collections import Work, draw_csv

WRONG = (5, 40)  # called Realism, and painted in the tint of Cubism
TINTS = {
    "Cubism": (1, 0.2, 0.2),
    "Impressionism": (0.2, 1, 0.2),
    "Fauvism": (0.2, 0.2, 1),
    "Realism": (1, 1, 0.2),
    "Abstract Art": (0.2, 1, 1),
}


def tinted(seed: int, tint: tuple[float, ...]) -> bytes:
    """Paint soft spots of one tint, which the embedded model tells from those of the others by far."""
    buffer = BytesIO()
    spots = np.random.default_rng(seed).integers(100, 255, (6, 8, 3)) * tint
    Image.fromarray(spots.astype(np.uint8)).resize((224, 224), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred paintings, of two of which the label is wrong."""
    works = []
    for number in range(100):
        style = list(TINTS)[number % 5]
        label = "Realism" if number in WRONG else style
        works.append(Work(label, f"Painter {number // 2}", f"No {number}", "1910", tinted(number, TINTS[style])))
    return draw_csv(tmp_path_factory.mktemp("collection") / "museum", works)


@pytest.fixture(scope="module")
def audited(collection: Path) -> Path:
    """A dataset of these, with what the audit wrote about it."""
    folder = collection.parent.parent
    prepare([str(collection), str(folder / "data")], size_px=224, fit="stretch", ratios="60:20:20")
    audit_labels(folder / "data", folder / "labels")
    return folder


def suspects(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels" / "suspects.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_wrong_labels_are_the_surest_suspects(audited: Path) -> None:
    found = suspects(audited)[:2]
    assert {row["title"] for row in found} == {"No 5", "No 40"}
    assert {(row["labelled"], row["suggested"]) for row in found} == {("Realism", "Cubism")}
    assert all(float(row["margin"]) < -0.3 and float(row["self_confidence"]) < 0.5 for row in found)
    assert {row["split"] for row in found} <= set(SPLITS)


def test_the_page_shows_each_suspect_and_stands_alone(audited: Path) -> None:
    page = (audited / "labels" / "suspects.html").read_text(encoding="utf-8")
    assert page.count("<img ") == len(suspects(audited))
    assert 'alt="No 40"' in page
    assert "looks like Cubism" in page
    assert page.count("<h1>") == 1
    assert "http" not in page


def test_what_a_person_keeps_in_the_table_is_left_out_and_counted(
    collection: Path, audited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = audited / "kept.csv"
    rows = suspects(audited)[:2]
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows([*rows, {**rows[0], "id": "f" * 64}])
    out = audited / "cleaned"
    prepare([str(collection), str(out)], size_px=224, fit="stretch", ratios="60:20:20", exclude=table)
    assert "1 lines of --exclude name no painting of these collections, the first is line 4" in capsys.readouterr().err
    assert json.loads((out / "audit.json").read_text())["rejected"]["excluded"] == 2
    assert f'excluded,"left out by {table}, line 2"' in (out / "rejected.csv").read_text()
    assert sum(count_rows(out, split) for split in SPLITS) == 98


def test_views_of_another_size_are_refused(collection: Path, tmp_path: Path) -> None:
    prepare([str(collection), str(tmp_path / "small")], size_px=32, ratios="60:20:20")
    with pytest.raises(DataError, match=r"letterbox views of 32 px.*--size-px 224 --fit stretch"):
        audit_labels(tmp_path / "small", tmp_path / "labels")
