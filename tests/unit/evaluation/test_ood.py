"""OodScores are told from paintings by their ood_score alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.errors import UsageError
from artnet.evaluation.ood import InDistribution, measure_ood
from artnet.model.classifier import Classifier

PHOTOGRAPHS = Path(__file__).parent.parent.parent.parent.parent / "shared" / "data" / "not-paintings" / "photo"


@pytest.fixture(scope="module")
def opened(exported: Path) -> Classifier:
    return Classifier.load(exported, precision="f32")


@pytest.fixture
def folder(painting: Image.Image, tmp_path: Path) -> Path:
    painting.save(tmp_path / "one.png")
    (tmp_path / "broken.jpg").write_text("no picture")
    return tmp_path


def test_a_folder_is_set_against_the_paintings_of_each_collection(opened: Classifier, folder: Path) -> None:
    ood_score = opened.classify(folder / "one.png").ood_score
    assert ood_score is not None
    paintings = InDistribution(ood_score + np.array([-2, -1, 1, 0]), ["a", "a", "a", "b"])
    found = measure_ood(opened, str(folder), paintings)
    assert (found.pictures, found.failed) == (1, 1)
    assert found.auroc == pytest.approx(2.5 / 4)
    assert found.auroc_by_collection == pytest.approx({"a": 2 / 3, "b": 0.5})


def test_a_folder_without_a_readable_picture_is_refused(opened: Classifier, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no picture that can be read"):
        measure_ood(opened, str(tmp_path), InDistribution(np.ones(2), ["a", "a"]))


@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="needs ../shared/data beside the repository")
def test_the_embedded_model_finds_photographs_strange(classifier: Classifier) -> None:
    assert classifier.ood is not None
    answers = [classifier.classify(path).decision for path in sorted(PHOTOGRAPHS.iterdir())[:40]]
    assert answers.count("unfamiliar") > len(answers) / 2
