"""The surest wrong answers, and their pictures as they were painted."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from artnet.data.dataset import iterate_rows
from artnet.evaluation.predictions import SplitPredictions
from artnet.evaluation.worst_errors import with_pictures, worst_errors

ANSWERS = SplitPredictions(
    tuple("abcd"), tuple("abcd"), ("s",) * 4, np.array([0, 0, 1, 1]), ("whole",), np.zeros((4, 1, 2), np.float32)
)
SCORES = np.array([[0.4, 0.6], [0.1, 0.9], [0.2, 0.8], [0.7, 0.3]])


def test_only_wrong_answers_are_listed_the_surest_first() -> None:
    found = worst_errors(ANSWERS, SCORES, ["zero", "one"])
    assert [(each.id, each.truth, each.answer, each.confidence) for each in found] == [
        ("b", "zero", "one", 0.9),
        ("d", "one", "zero", 0.7),
        ("a", "zero", "one", 0.6),
    ]
    assert len(worst_errors(ANSWERS, SCORES, ["zero", "one"], count=2)) == 2


def test_thumbnails_have_the_paintings_shape_and_are_small(data: Path) -> None:
    rows = list(iterate_rows(data, "test", ["width", "height"]))
    mistakes = [replace(worst_errors(ANSWERS, SCORES, "01")[0], row=row) for row in (0, 2)]
    for mistake in with_pictures(mistakes, data, "test"):
        assert mistake.picture is not None
        with Image.open(BytesIO(mistake.picture)) as image:
            aspect = rows[mistake.row]["width"] / rows[mistake.row]["height"]
            assert abs(image.width / image.height - aspect) < 0.05
            assert max(image.size) <= 168
        assert len(mistake.picture) < 20_000
