"""A report is written for programs and for people, and its scores into the model folder."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.errors import OutputError
from artnet.evaluation.evaluate import EvaluateOptions, Report, evaluate
from artnet.evaluation.report import check_report_folder, record_scores, write_report
from artnet.evaluation.report_html import report_page
from artnet.model.card import model_card
from artnet.model.classifier import Classifier
from artnet.model.config import default_model, read_config


@pytest.fixture(scope="module")
def report(exported: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A tiny trained model, measured with everything that can be asked for."""
    folder = tmp_path_factory.mktemp("ood") / "noise"
    folder.mkdir()
    for seed in range(3):
        pixels = np.random.default_rng(seed).integers(0, 255, (70, 90, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    (folder / "text.png").write_text("no picture")
    classifier = Classifier.load(exported, precision="f32")
    return evaluate(classifier, data, "test", EvaluateOptions("all", classifier, (str(folder),)))


@pytest.fixture(scope="module")
def folder(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "report"
    write_report(folder, report)
    return folder


def test_the_json_is_strict_and_holds_every_figure(folder: Path, report: Report) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    found = json.loads((folder / "report.json").read_text(), parse_constant=refuse)
    assert found["values"]["accuracy"]["value"] == report.values["accuracy"].value
    assert found["ood"]["noise"]["pictures"] == 3
    assert found["ood"]["noise"]["failed"] == 1
    assert len(found["calibration"]["after"]["bins"]["counts"]) == 15
    assert found["comparison"]["p_value"] == 1
    assert "picture" not in found["mistakes"][0]


def test_the_predictions_suffice_to_recompute_the_accuracy(folder: Path, report: Report) -> None:
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    right = sum(row["movement"] == row["answer"] for row in rows) / len(rows)
    assert right == pytest.approx(report.values["accuracy"].value)
    for row in rows:
        scores = [float(value) for name, value in row.items() if name.startswith("score_")]
        assert sum(scores) == pytest.approx(1, abs=1e-5)
        assert max(scores) == float(row["confidence"])
        assert float(row["ood_score"]) > 0


def test_the_page_stands_alone(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    assert "http" not in page
    assert not re.findall(r'(?:src|href)="(?!data:image/jpeg;base64,)', page)
    for heading in ("What is taken for what", "Answering only when sure", "Against another model", "surest mistakes"):
        assert heading in page


def test_without_pictures_the_mistakes_are_a_table(report: Report) -> None:
    bare = dataclasses.replace(
        report, mistakes=tuple(dataclasses.replace(mistake, picture=None) for mistake in report.mistakes)
    )
    page = report_page(bare)
    assert "data:image" not in page
    assert report.mistakes[0].source in page


def test_a_warning_stands_at_the_top(report: Report) -> None:
    page = report_page(dataclasses.replace(report, warnings=("Beware of <this>.",)))
    assert '<p class="warning">Beware of &lt;this&gt;.</p>' in page


def test_names_in_a_report_cannot_become_markup(report: Report) -> None:
    evil = "<script>alert(1)</script>"
    mistakes = tuple(
        dataclasses.replace(mistake, source=evil, style=evil, picture=b"jpeg") for mistake in report.mistakes
    )
    groups = {evil: next(iter(report.by_style.values()))}
    ood = {evil: report.ood["noise"]}
    page = report_page(dataclasses.replace(report, model=evil, mistakes=mistakes, by_style=groups, ood=ood))
    assert "<script>" not in page


def test_recorded_scores_stand_in_the_folder_and_on_its_card(report: Report, exported: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(exported, tmp_path / "model"))
    record_scores(copy, report)
    value = report.values["accuracy"].value
    assert read_config(copy).scores["values"]["accuracy"]["value"] == value
    card = (copy / "README.md").read_text()
    assert f"| accuracy | {value:.3f} |" in card
    assert "| noise | 3 |" in card
    assert Classifier.load(copy).classify(Image.new("RGB", (9, 9))).movement


def test_a_card_without_scores_says_so(classifier: Classifier) -> None:
    assert "Not evaluated yet" in model_card(dataclasses.replace(classifier.config, scores={}))


def test_the_embedded_models_card_is_what_its_config_says() -> None:
    config = read_config(default_model())
    assert (default_model() / "README.md").read_text(encoding="utf-8") == model_card(config)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputError, match="cannot be made into a folder"):
        check_report_folder(tmp_path / "taken")
