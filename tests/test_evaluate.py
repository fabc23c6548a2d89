"""An evaluation answers as users are answered, and its files say what it found."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.card import model_card
from artnet.classify import Classifier
from artnet.dataset import read_info
from artnet.errors import DataError
from artnet.evaluate import Answers, Report, _report, evaluate
from artnet.model import default_model, read_config
from artnet.report import record_scores, report_page, write_report


@pytest.fixture(scope="module")
def report(classifier: Classifier, data: Path) -> Report:
    """Four paintings, worked by hand: three right, the Realist taken for an Expressionist."""
    scores = np.eye(5)[[0, 1, 2, 2]] * 0.5 + 0.1
    answers = Answers(np.array([0, 1, 2, 3]), scores, ("a", "a", "b", "b"))
    return _report(classifier, read_info(data), "test", answers)


def test_scores_worked_by_hand(report: Report) -> None:
    assert report.values["accuracy"].value == 0.75
    assert report.values["balanced_accuracy"].value == 0.75  # Abstract does not occur and does not count
    assert report.values["calibration_error"].value == pytest.approx(0.15)  # confidence 0.6, accuracy 0.75
    assert report.by_movement["Realism"] == {"paintings": 1, "recall": 0.0}
    assert report.by_movement["Abstract"] == {"paintings": 0, "recall": None}
    assert report.by_collection["b"]["accuracy"] == 0.5
    assert report.confusion[3] == (0, 0, 1, 0, 0)


def test_intervals_hold_their_value(report: Report) -> None:
    for entry in report.values.values():
        assert entry.low <= entry.value <= entry.high


def test_every_painting_of_the_split_is_answered_as_users_are(exported: Path, data: Path) -> None:
    from artnet.dataset import iterate_rows

    classifier = Classifier.load(exported, precision="f32")
    found = evaluate(classifier, data, "test")
    rows = list(iterate_rows(data, "test", ["movement", "source"]))
    assert found.paintings == len(rows) == sum(map(sum, found.confusion))
    assert [sum(row) for row in found.confusion] == np.bincount([row["movement"] for row in rows], minlength=5).tolist()


def test_a_dataset_of_other_views_is_refused(classifier: Classifier, data: Path) -> None:
    with pytest.raises(DataError, match="--size-px 224 --fit stretch"):
        evaluate(classifier, data, "test")


def test_a_folder_that_is_no_dataset_is_refused(classifier: Classifier, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a prepared dataset"):
        evaluate(classifier, tmp_path, "test")


def test_the_report_is_written_for_programs_and_for_people(report: Report, tmp_path: Path) -> None:
    write_report(tmp_path / "report", report)
    found = json.loads((tmp_path / "report" / "report.json").read_text())
    assert found["values"]["accuracy"]["value"] == 0.75
    page = (tmp_path / "report" / "report.html").read_text()
    assert "0.750" in page
    assert "http" not in page


def test_names_in_a_report_cannot_become_markup(report: Report) -> None:
    page = report_page(dataclasses.replace(report, model="<script>alert(1)</script>"))
    assert "<script>" not in page


def test_recorded_scores_stand_in_the_folder_and_on_its_card(report: Report, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(default_model(), tmp_path / "model"))
    record_scores(folder, report)
    assert read_config(folder).scores["values"]["accuracy"]["value"] == 0.75
    assert "| accuracy | 0.750 |" in (folder / "README.md").read_text()
    assert Classifier.load(folder).classify(Image.new("RGB", (9, 9))).movement


def test_a_card_without_scores_says_so(classifier: Classifier) -> None:
    assert "Not evaluated yet" in model_card(dataclasses.replace(classifier.config, scores={}))


def test_the_embedded_models_card_is_what_its_config_says() -> None:
    config = read_config(default_model())
    assert (default_model() / "README.md").read_text(encoding="utf-8") == model_card(config)
