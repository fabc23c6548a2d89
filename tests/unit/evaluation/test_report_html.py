"""The page says in words what the figures are."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from artnet.evaluation.evaluate import EvaluateOptions, Report, evaluate
from artnet.evaluation.report_html import report_page
from artnet.metrics.bootstrap import Interval
from artnet.model.classifier import Classifier


@pytest.fixture(scope="module")
def report(exported: Path, data: Path) -> Report:
    return evaluate(Classifier.load(exported, precision="f32"), data, "test", EvaluateOptions(pictures=False))


def test_headlines_come_with_their_intervals(report: Report) -> None:
    values = {**report.values, "accuracy": Interval(0.75, 0.7, 0.8)}
    page = report_page(dataclasses.replace(report, values=values))
    assert "<b>0.750</b><small>0.700 to 0.800</small>" in page


def test_what_was_not_asked_for_has_no_section(report: Report) -> None:
    page = report_page(report)
    assert "Against another model" not in page
    assert "no such painting" not in page
    assert "--views all compares them" in page


def test_a_movement_that_does_not_occur_has_nothing_to_find(report: Report) -> None:
    unknown = Interval(float("nan"), float("nan"), float("nan"))
    gone = dataclasses.replace(report.by_movement["Realism"], paintings=0, recall=unknown)
    page = report_page(dataclasses.replace(report, by_movement={"Realism": gone}))
    assert "none to find" in page
    assert "nan" not in page


def test_a_guesser_that_cannot_be_scored_says_so(report: Report) -> None:
    page = report_page(dataclasses.replace(report, baselines={**report.baselines, "artist_oracle": None}))
    assert "cannot be told" in page


def test_without_mistakes_there_is_no_list_of_them(report: Report) -> None:
    assert "surest mistakes" not in report_page(dataclasses.replace(report, mistakes=()))
