"""The audit page states what audit.json holds."""

from __future__ import annotations

from typing import Any

import pytest

from artnet.data.audit import Entry, Excluded, audit
from artnet.data.audit_report import audit_page


@pytest.fixture(scope="module")
def summary() -> dict[str, Any]:
    entries = [
        Entry(movement, movement, None, split, f"{movement}{step}.jpg", shorter_side_px=side)
        for movement, side in (("Cubism", 224), ("Realism", 280))
        for split in ("train", "test")
        for step in range(12)
    ]
    return audit(entries, Excluded({"Baroque": 3}, {"corrupt": 1}), [(entries[0], entries[-1])])


def test_counts_and_warnings_of_an_audit_are_on_its_page(summary: dict[str, Any]) -> None:
    text = " ".join(audit_page("mine", summary).split())
    assert "48 paintings, 48 of them without a known artist; 1 files were left out" in text
    assert "predicts the movement" in text
    assert "Cubism0.jpg" in text
    assert "50.0% !" in text  # of Cubism in test, against a target of 15 %
    assert "Baroque" in text


def test_the_page_stands_alone_with_one_heading(summary: dict[str, Any]) -> None:
    text = audit_page("mine", summary)
    assert text.startswith("<!doctype html>")
    assert text.count("<h1>") == 1
    assert "//" not in text


def test_names_cannot_become_markup(summary: dict[str, Any]) -> None:
    text = audit_page("<script>", {**summary, "styles": {"<script>": 1}})
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_a_dataset_without_near_duplicates_has_no_list_of_them(summary: dict[str, Any]) -> None:
    near = {**summary["near_duplicates"], "under_two_movements": []}
    assert "under two movements" not in audit_page("mine", {**summary, "near_duplicates": near})
