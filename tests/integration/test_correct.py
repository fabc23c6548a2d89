"""Corrections change the predictions that were wrong, and few others."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest

from artnet.cli.commands.teach import teach
from artnet.errors import DataError, UsageError
from artnet.model.classifier import Classifier

pytest.importorskip("onnx", reason="needs pip install '.[teach]'")
EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def write_corrections(path: Path, rows: list[tuple[str, str]]) -> Path:
    """Write a table as the page would: the SHA-256 of an example, or a name that is none, and the right class."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["sha256", "source", "answer", "correction"])
        for name, correction in rows:
            image = EXAMPLES / name
            sha256 = hashlib.sha256(image.read_bytes()).hexdigest() if image.is_file() else "0" * 64
            writer.writerow([sha256, name, "", correction])
    return path


def test_what_was_corrected_is_predicted_and_the_rest_stays(
    classifier: Classifier, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("faceted.jpg", "realism"), ("expressive.jpg", "Poster/Art"), ("gone.jpg", "Cubism")]
    rows += [("atelier.jpg", "Cubism"), ("atelier.jpg", "Realism")]
    table = write_corrections(tmp_path / "corrections.csv", rows)
    assert teach(tmp_path / "model", corrections=table, pictures=str(EXAMPLES)) == 1
    printed = capsys.readouterr()
    assert "holds no image with the SHA-256 000000000000…, corrected to Cubism" in printed.err
    assert "is corrected to Cubism and to realism" in printed.err
    assert "2 of 2 corrected images are now predicted as corrected" in printed.out
    corrected = Classifier.load(tmp_path / "model", precision="f32")
    assert corrected.config.movements == (*classifier.config.movements, "Poster/Art")
    assert corrected.config.training["corrections"] == 2
    again = write_corrections(tmp_path / "again.csv", [("suprematist.jpg", "Realism")])
    assert teach(tmp_path / "again", corrections=again, pictures=str(EXAMPLES), base=tmp_path / "model") == 0
    assert Classifier.load(tmp_path / "again").config.training["corrections"] == 3
    assert corrected.classify(EXAMPLES / "faceted.jpg").movement == "Realism"
    assert corrected.classify(EXAMPLES / "expressive.jpg").movement == "Poster/Art"
    for name in ("suprematist.jpg", "pointillist.jpg"):
        assert corrected.classify(EXAMPLES / name).movement == classifier.classify(EXAMPLES / name).movement


def test_corrections_of_other_images_are_refused(tmp_path: Path) -> None:
    table = write_corrections(tmp_path / "corrections.csv", [("gone.jpg", "Cubism")])
    with pytest.raises(DataError, match="holds none of the images"):
        teach(tmp_path / "model", corrections=table, pictures=str(EXAMPLES))
    with pytest.raises(UsageError, match="either SOURCE, or --corrections FILE and --pictures FOLDER"):
        teach(tmp_path / "model", corrections=table)
