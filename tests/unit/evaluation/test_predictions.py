"""A split is answered in the order of its shards, with the views that were asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from artnet.data.dataset import count_rows
from artnet.evaluation.predictions import predict_split
from artnet.imaging.views import VIEWS
from artnet.model.classifier import Classifier


@pytest.fixture(scope="module")
def opened(exported: Path) -> Classifier:
    return Classifier.load(exported, precision="f32")


def test_answers_hold_every_view_of_every_painting(opened: Classifier, data: Path) -> None:
    told: list[tuple[int, int]] = []
    found = predict_split(opened, data, "test", VIEWS, lambda done, total: told.append((done, total)))
    count = count_rows(data, "test")
    assert found.logits.shape == (count, 6, 5)
    assert found.ood_score is not None
    assert found.ood_score.shape == (count,)
    assert told[-1] == (count, count)
    assert set(found.collections) == {"collection"}


def test_the_whole_is_answered_alike_alone_and_among_six(opened: Classifier, data: Path) -> None:
    six, one = (predict_split(opened, data, "val", views, lambda done, total: None) for views in (VIEWS, VIEWS[:1]))
    assert np.array_equal(six.logits[:, 0], one.logits[:, 0])
    assert one.voted({"whole": 1}, 2.0) == pytest.approx(six.voted({"whole": 1}, 2.0))
