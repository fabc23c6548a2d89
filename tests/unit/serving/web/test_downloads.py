"""What a visitor takes away of one painting."""

from __future__ import annotations

import json
import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from artnet.attribution.explain import Explanation, explain
from artnet.model.classifier import Classifier
from artnet.render.overlay import OverlayStyle, overlay
from artnet.serving.web.downloads import Wish, take_away


@pytest.fixture(scope="module")
def found(classifier: Classifier, painting: Image.Image) -> Explanation:
    return explain(classifier, painting)


def test_the_overlay_is_the_one_that_the_command_draws(found: Explanation) -> None:
    taken = take_away(found, "bars.png", Wish("overlay", 7, OverlayStyle(0.5)))
    expected = overlay(found.image, found.heatmap(7), OverlayStyle(0.5))
    assert taken.name == "bars-depth7.png"
    assert np.array_equal(np.asarray(Image.open(BytesIO(taken.data))), np.asarray(expected))


def test_the_overlay_of_a_huge_painting_is_scaled_down(classifier: Classifier) -> None:
    found = explain(classifier, Image.new("RGB", (5000, 50), "navy"))
    taken = take_away(found, "long.png", Wish("overlay", 9, OverlayStyle()))
    assert Image.open(BytesIO(taken.data)).size == (4096, 41)


def test_the_report_stands_alone_and_says_the_answer(found: Explanation) -> None:
    taken = take_away(found, "<b>bars</b>.png", Wish("report", 9, OverlayStyle()))
    text = taken.data.decode()
    assert f"<h1>{found.prediction.movement}, {found.prediction.confidence:.0%}</h1>" in text
    assert not re.search(r'(?:src|href)="(?!data:)', text)
    assert "<b>bars</b>" not in text
    assert text.count("<img") == 2 + 9


def test_the_numbers_are_those_of_the_command_with_the_pictures_name(found: Explanation) -> None:
    numbers = json.loads(take_away(found, "bars.png", Wish("numbers", 9, OverlayStyle())).data)
    assert numbers["depths"] == found.to_dict()["depths"]
    assert numbers["prediction"]["source"] == "bars.png"


def test_a_depth_that_there_is_not_becomes_the_deepest(found: Explanation) -> None:
    assert take_away(found, "bars.png", Wish("overlay", 12, OverlayStyle())).name == "bars-depth9.png"
