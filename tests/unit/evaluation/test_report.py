"""A report has named sections, and becomes JSON, a record for the model folder and a table of predictions."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from artnet.evaluation.ood import OodScores
from artnet.evaluation.report import Report, write_predictions
from artnet.metrics.bootstrap import Interval
from fixtures.evaluation import CONFIG, MOVEMENTS, four_paintings, small_report


@pytest.fixture(scope="module")
def report() -> Report:
    return small_report()


def test_sections_worked_by_hand(report: Report) -> None:
    assert report.overall["accuracy"].value == 0.75
    assert report.overall["calibration_error"].value == pytest.approx(0.15)  # confidence 0.6, accuracy 0.75
    assert report.groups.by_movement["Realism"].recall.value == 0
    assert report.groups.by_collection["b"].accuracy.value == 0.5
    assert report.groups.by_style["Expressionism: Neo Dada"].accuracy.value == 1
    assert report.groups.confusion[3] == (0, 0, 1, 0, 0)
    assert [(each.id, each.truth, each.prediction) for each in report.errors] == [("z", "Realism", "Expressionism")]


def test_before_calibration_the_temperature_is_one(report: Report) -> None:
    sharper = 0.6**CONFIG.calibration.temperature
    expected = sharper / (sharper + 4 * 0.1**CONFIG.calibration.temperature)
    assert np.nanmax(report.calibration["before"].bins.confidence) == pytest.approx(expected)
    assert np.nanmax(report.calibration["after"].bins.confidence) == pytest.approx(0.6)


def test_the_json_is_strict_and_keeps_its_keys(report: Report) -> None:
    unknown = Interval(float("nan"), float("nan"), float("nan"))
    found = dataclasses.replace(report, overall={"accuracy": unknown}).to_dict()
    assert json.dumps(found, allow_nan=False)
    assert found["values"]["accuracy"] == {"value": None, "low": None, "high": None}
    documented = {"model", "data", "split", "protocol", "movements", "paintings", "warnings", "values", "by_movement"}
    documented |= {"by_style", "by_collection", "by_decision", "by_views", "confusion", "calibration", "selective"}
    documented |= {"baselines", "ood", "comparison", "faithfulness", "sets", "styles", "errors"}
    assert found.keys() == documented


def test_the_record_has_scores_and_no_paintings(report: Report) -> None:
    ood = {"photo": OodScores(3, 1, 0.9, Interval(0.9, 0.8, 1.0), {"a": 0.8}, 0.5)}
    record = dataclasses.replace(report, ood=ood).to_record()
    assert not {"errors", "by_style", "by_views"} & record.keys()
    assert record["values"]["accuracy"]["value"] == 0.75
    assert record["by_movement"]["Realism"]["recall"] == 0
    assert record["calibration_error"]["after"]["value"] == pytest.approx(0.15)
    assert record["ood"]["photo"]["images"] == 3
    assert "curve_coverage" not in record["selective"]


def test_the_scores_recorded_in_the_embedded_model_have_the_keys_of_a_record(report: Report) -> None:
    recorded, record = CONFIG.scores, report.to_record()
    assert recorded.keys() - {"sets", "styles"} == record.keys() - {"sets"}
    for name in ("baselines", "selective", "calibration_error"):
        assert recorded[name].keys() <= record[name].keys() | {"majority", "artist_oracle", "random"}
    expected = {field.name for field in dataclasses.fields(OodScores)}
    assert all(entry.keys() | {"interval"} == expected for entry in recorded["ood"].values())


def test_the_table_of_predictions_has_a_row_for_each_painting(tmp_path: Path) -> None:
    write_predictions(tmp_path / "predictions.csv", MOVEMENTS, four_paintings())
    with (tmp_path / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["source"] for row in rows] == ["a/w.jpg", "a/x.jpg", "b/y.jpg", "b/z.jpg"]
    assert (rows[3]["movement"], rows[3]["prediction"], rows[3]["confidence"]) == (
        "Realism",
        "Expressionism",
        "0.600000",
    )
    assert rows[3]["score_realism"] == "0.100000"
    assert rows[3]["ood_score"] == ""
