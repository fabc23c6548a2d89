"""What people read: one line an image, failures on standard error."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from artnet.batch.job import Summary
from artnet.batch.predict import Result
from artnet.cli.console import ResultCounter, prediction_line, print_audit, print_json, print_summary, progress_bar
from artnet.data.audit import Entry, Excluded, audit
from artnet.errors import EmptyImageError
from artnet.model.prediction import Decision, Prediction


def prediction(decision: Decision, source: str = "a.jpg") -> Prediction:
    return Prediction(source, "Realism", 0.6, decision, {"Cubism": 0.4, "Realism": 0.6}, (), "m", 3, 2)


def test_a_confident_result_in_one_line() -> None:
    line = prediction_line(prediction("confident"))
    assert line == "a.jpg: Realism 60% (confident)  [Realism 0.60, Cubism 0.40]"


def test_an_unsure_result_names_both_candidates() -> None:
    assert "(unsure: Realism or Cubism)" in prediction_line(prediction("unsure"))


def test_failures_are_counted_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    counter = ResultCounter()
    results = [Result("a", prediction=prediction("unsure")), Result("b", error=EmptyImageError("b: the file is empty"))]
    assert list(counter.count(results, lambda done: None)) == results
    assert (counter.total, counter.failed) == (2, 1)
    assert capsys.readouterr().err == "artnet: b: the file is empty\n"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_list_is_valid_json_of_any_length(capsys: pytest.CaptureFixture[str], count: int) -> None:
    print_json([Result("a", prediction=prediction("unsure"))] * count, is_single=False)
    assert len(json.loads(capsys.readouterr().out)) == count


def test_progress_is_silent_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("working") as advance:
        advance(1, 2)
    assert capsys.readouterr().err == ""


def test_a_summary_names_movements_decisions_and_failures(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(Summary(Counter(Realism=2, Cubism=1), Counter(confident=2, unsure=1), Counter(corrupt=1)))
    assert capsys.readouterr().err.splitlines() == [
        "movements: Realism 2, Cubism 1",
        "decisions: 66.7% confident, 33.3% unsure",
        "failures: 1 corrupt",
    ]


def test_an_audits_warnings_have_figures(capsys: pytest.CaptureFixture[str]) -> None:
    entries = [
        Entry(movement, movement, None, split, f"{movement}{step}", jpeg_quality=quality)
        for movement, quality in (("Cubism", 60), ("Realism", 74))
        for split in ("train", "test")
        for step in range(20)
    ]
    print_audit(audit(entries, Excluded({}, {})), Path("out"))
    warning = next(line for line in capsys.readouterr().err.splitlines() if "jpeg quality alone" in line)
    assert "a balanced accuracy of 1.00 (0.50 at random); medians: Cubism 60, Realism 74" in warning


def test_of_nothing_a_summary_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(Summary())
    assert capsys.readouterr().err == ""
