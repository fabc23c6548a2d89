"""A model with a second head predicts fine styles, and is measured on them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from PIL import Image

from artnet.cli.console import prediction_line
from artnet.errors import ModelError
from artnet.model.classifier import Classifier


def test_a_model_with_a_second_head_names_styles(exported: Path, painting: Image.Image) -> None:
    classifier = Classifier.load(exported, precision="f32")
    found = classifier.classify(painting)
    assert tuple(found.styles) == classifier.config.styles == tuple(sorted(found.styles))
    assert all(0 < score < 1 for score in found.styles.values())
    assert json.loads(json.dumps(found.to_dict()))["styles"] == found.styles


def test_a_model_without_one_answers_as_before(exported_without_styles: Path, painting: Image.Image) -> None:
    found = Classifier.load(exported_without_styles).classify(painting)
    assert found.styles == {}
    assert "styles" not in found.to_dict()
    assert prediction_line(found).endswith("]")


def test_the_line_names_at_most_three_likely_styles(classifier: Classifier, painting: Image.Image) -> None:
    styles = {"Op Art": 0.5, "Fauvism": 0.75, "Pop Art": 0.49, "Cubism": 0.9, "Realism": 0.6}
    found = dataclasses.replace(
        classifier.classify(painting), styles=styles, likely_styles=("Cubism", "Fauvism", "Realism", "Op Art")
    )
    assert prediction_line(found).endswith("]  styles: Cubism 0.90, Fauvism 0.75, Realism 0.60")


def test_names_that_are_not_as_many_as_the_graph_answers_are_refused(exported: Path) -> None:
    classifier = Classifier.load(exported)
    config = dataclasses.replace(classifier.config, styles=classifier.config.styles[1:])
    with pytest.raises(ModelError, match=r"and 4 styles, but the graph has .* and 5;"):
        Classifier(config, classifier.engine)
