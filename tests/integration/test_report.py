"""A report is written for programs and for people, and its scores into the model folder."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.errors import OutputError
from artnet.evaluation.evaluate import EvaluateOptions, evaluate
from artnet.evaluation.report import Evaluation, create_report_folder, record_scores, write_report
from artnet.model.classifier import Classifier
from artnet.model.config import read_config


@pytest.fixture(scope="module")
def evaluation(exported: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """A tiny trained model, evaluated with everything that can be requested."""
    folder = tmp_path_factory.mktemp("ood") / "noise"
    folder.mkdir()
    for seed in range(3):
        pixels = np.random.default_rng(seed).integers(0, 255, (70, 90, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    (folder / "text.png").write_text("no image")
    classifier = Classifier.load(exported, precision="f32")
    return evaluate(classifier, data, "test", EvaluateOptions("all", classifier, (str(folder),)))


@pytest.fixture(scope="module")
def folder(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "report"
    write_report(folder, evaluation)
    return folder


def test_the_json_holds_every_score(folder: Path, evaluation: Evaluation) -> None:
    found = json.loads((folder / "report.json").read_text())
    assert found["values"]["accuracy"]["value"] == evaluation.report.overall["accuracy"].value
    assert found["ood"]["noise"]["images"] == 3
    assert found["ood"]["noise"]["failed"] == 1
    assert len(found["calibration"]["after"]["bins"]["counts"]) == 15
    assert found["comparison"]["p_value"] == 1
    assert found["errors"][0]["id"] == evaluation.report.errors[0].id


def test_the_predictions_suffice_to_recompute_the_accuracy(folder: Path, evaluation: Evaluation) -> None:
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    correct = sum(row["movement"] == row["prediction"] for row in rows) / len(rows)
    assert correct == pytest.approx(evaluation.report.overall["accuracy"].value)
    for row in rows:
        scores = [float(value) for name, value in row.items() if name.startswith("score_")]
        assert sum(scores) == pytest.approx(1, abs=1e-5)
        assert max(scores) == float(row["confidence"])
        assert float(row["ood_score"]) > 0


def test_the_page_stands_alone(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    assert "http" not in page
    assert not re.findall(r'(?:src|href)="(?!data:image/jpeg;base64,)', page)
    for heading in (
        "Confusion matrix",
        "Selective prediction",
        "Comparison with another model",
        "Most confident errors",
    ):
        assert heading in page


def test_only_complete_files_are_left(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {"report.json", "report.html", "predictions.csv"}


def test_recorded_scores_stand_in_the_folder_and_on_its_card(
    evaluation: Evaluation, exported: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(exported, tmp_path / "model"))
    record_scores(copy, evaluation.report)
    value = evaluation.report.overall["accuracy"].value
    assert read_config(copy).scores["values"]["accuracy"]["value"] == value
    card = (copy / "README.md").read_text()
    assert f"| accuracy | {value:.3f} |" in card
    assert "| noise | 3 |" in card
    assert Classifier.load(copy).classify(Image.new("RGB", (9, 9))).movement


def test_a_folder_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputError, match="taken: cannot be written"):
        create_report_folder(tmp_path / "taken")
