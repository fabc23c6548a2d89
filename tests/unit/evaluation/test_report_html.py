"""The page says in words what the scores are, and stands alone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from artnet.evaluation.report import Report
from artnet.evaluation.report_html import report_page
from fixtures.evaluation import small_report

EXAMPLE = Path(__file__).parent.parent.parent.parent / "docs" / "report"
UNKNOWN = {"value": None, "low": None, "high": None}
EVIL = "\"><script>alert('x')</script>"


@pytest.fixture(scope="module")
def small() -> Report:
    return small_report()


@pytest.fixture
def report(small: Report) -> dict[str, Any]:
    baselines = {"majority": 0.25, "artist_oracle": None, "random": 0.2}
    return dataclasses.replace(small, baselines=baselines).to_dict()


def test_headlines_come_with_their_intervals(report: dict[str, Any]) -> None:
    report["values"]["accuracy"] = {"value": 0.75, "low": 0.7, "high": 0.8}
    assert "<b>0.750</b><small>0.700 to 0.800</small>" in report_page(report)


def test_sections_that_were_not_requested_are_absent(report: dict[str, Any]) -> None:
    page = report_page(report)
    for heading in ("another model", "Out-of-distribution", "Fine styles", "Faithfulness"):
        assert heading not in page
    assert "--views\nall compares them" in page


def test_a_movement_that_does_not_occur_has_no_scores(report: dict[str, Any]) -> None:
    report["by_movement"]["Realism"] |= {"paintings": 0, "recall": UNKNOWN}
    page = report_page(report)
    assert "none in the data" in page
    assert "None" not in page
    assert "nan" not in page


def test_a_baseline_that_needs_a_train_split_says_so(report: dict[str, Any]) -> None:
    page = report_page(report)
    assert "<td>always the most frequent movement in train</td><td>0.250</td>" in page
    assert "<td>the artist&#39;s most frequent movement in train</td><td>needs a train split</td>" in page


def test_without_errors_there_is_no_list_of_them(report: dict[str, Any]) -> None:
    assert "Most confident errors" in report_page(report)
    assert "Most confident errors" not in report_page({**report, "errors": []})


def test_errors_are_a_table_without_thumbnails_and_a_list_with_them(report: dict[str, Any]) -> None:
    assert "<td>Expressionism</td><td>60%</td>" in report_page(report)
    page = report_page(report, [b"jpeg"])
    assert '<img alt="b/z.jpg" src="data:image/jpeg;base64,anBlZw==">' in page
    assert "Expressionism 60%" in page


def test_a_warning_stands_at_the_top(report: dict[str, Any]) -> None:
    page = report_page({**report, "warnings": ["Beware of <this>."]})
    assert page.index('<p class="warning">Beware of &lt;this&gt;.</p>') < page.index("<section>")


def test_the_false_alarm_rate_stands_beside_the_detection_rate(report: dict[str, Any]) -> None:
    report["by_decision"]["unfamiliar"] = {**next(iter(report["by_decision"].values())), "paintings": 1}
    scores = {
        "images": 9,
        "failed": 0,
        "auroc": 0.9,
        "auroc_by_collection": {"a": 0.8, "b": None},
        "detection_rate": 0.5,
    }
    page = " ".join(report_page({**report, "ood": {"photo": scores}}).split())
    assert "are called unfamiliar, is 25.0% (1 paintings)" in page
    assert "<td>9</td><td>0.900</td><td>0.800</td><td>none</td><td>50.0%</td>" in page


def test_names_cannot_become_markup(report: dict[str, Any]) -> None:
    group = next(iter(report["by_style"].values()))
    errors = [{**error, "source": EVIL, "style": EVIL} for error in report["errors"]]
    evil = {**report, "model": EVIL, "data": EVIL, "by_style": {EVIL: group}, "errors": errors}
    for thumbnails in ((), [b"jpeg"]):
        page = report_page(evil, thumbnails)
        assert "<script>" not in page
        assert '"">' not in page


def test_the_page_refers_to_no_other_host(report: dict[str, Any]) -> None:
    assert "//" not in report_page(report)


def test_the_example_in_the_docs_is_what_its_json_says() -> None:
    example = json.loads((EXAMPLE / "report.json").read_text(encoding="utf-8"))
    assert report_page(example) == (EXAMPLE / "report.html").read_text(encoding="utf-8")


def test_the_example_in_the_docs_has_the_keys_of_a_report(report: dict[str, Any]) -> None:
    example = json.loads((EXAMPLE / "report.json").read_text(encoding="utf-8"))
    assert example.keys() | {"sets"} == report.keys()
    assert example["errors"][0].keys() == report["errors"][0].keys()
    for name in ("by_movement", "calibration"):
        expected = next(iter(report[name].values())).keys()
        assert all(entry.keys() == expected for entry in example[name].values())


def test_prediction_sets_are_a_section_where_the_model_has_them(report: dict[str, Any]) -> None:
    assert "Prediction sets" not in report_page({**report, "sets": None})
    scores = {"paintings": 4, "coverage": {"value": 0.75, "low": 0.5, "high": 1.0}, "size": UNKNOWN}
    report["sets"] = {
        "target": 0.9,
        "overall": scores,
        "by_movement": {},
        "by_collection": {"a": scores},
        "sizes": [3, 1],
    }
    page = report_page(report)
    assert "hold the true one for 90% of the paintings" in " ".join(page.split())
    assert "0.750 (0.500 to 1.000)" in page
