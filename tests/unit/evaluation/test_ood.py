"""Images are compared with paintings by their OOD scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.errors import UsageError
from artnet.evaluation.ood import InDistribution, auroc_interval, measure_ood
from artnet.model.classifier import Classifier


@pytest.fixture
def folder(painting: Image.Image, tmp_path: Path) -> Path:
    painting.save(tmp_path / "one.png")
    (tmp_path / "broken.jpg").write_text("no image")
    return tmp_path


def test_a_folder_is_compared_with_the_paintings_of_each_collection(classifier: Classifier, folder: Path) -> None:
    ood_score = classifier.classify(folder / "one.png").ood_score
    assert ood_score is not None
    paintings = InDistribution(ood_score + np.array([-2, -1, 1, 0]), ["a", "a", "a", "b"])
    found = measure_ood(classifier, str(folder), paintings)
    assert (found.images, found.failed) == (1, 1)
    assert found.auroc == pytest.approx(2.5 / 4)
    assert found.interval.low <= found.auroc <= found.interval.high
    assert found.auroc_by_collection == pytest.approx({"a": 2 / 3, "b": 0.5})


def test_a_folder_without_a_readable_image_is_refused(classifier: Classifier, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no image that can be read"):
        measure_ood(classifier, str(tmp_path), InDistribution(np.ones(2), ["a", "a"]))


def test_the_interval_narrows_with_the_images() -> None:
    rng = np.random.default_rng(0)
    few, many = (auroc_interval(rng.normal(0, 1, count), rng.normal(1, 1, count)) for count in (30, 500))
    assert few.high - few.low > 2 * (many.high - many.low)
    assert many.low < 0.76 < many.high  # of two normal distributions one deviation apart
