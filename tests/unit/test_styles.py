"""Which fine styles are learnt, where a painting's stands, and how a model folder answers and is measured on them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from artnet.cli.console import prediction_line
from artnet.errors import ModelError
from artnet.model.classifier import Classifier
from artnet.taxonomy import ENOUGH_PAINTINGS, NONE, common_styles, index_styles


def test_spellings_of_a_style_count_together_and_the_commonest_names_it() -> None:
    half = ENOUGH_PAINTINGS // 2
    found = ["Abstract_Art"] * (half - 1) + ["abstract art"] * (half + 1) + ["Fauvism"] * (ENOUGH_PAINTINGS - 1)
    assert common_styles([*found, *[""] * 99]) == ("abstract art",)


def test_a_style_is_found_in_any_spelling() -> None:
    names = ("Abstract Art", "Naïve Art (Primitivism)")
    assert index_styles(["Naive_Art_Primitivism", "abstract-art", "Cubism", ""], names).tolist() == [1, 0, NONE, NONE]


@given(st.lists(st.sampled_from(["Op Art", "op_art", "Fauvism", "Pop-Art", ""]), max_size=300))
def test_every_style_chosen_is_one_of_enough_paintings(found: list[str]) -> None:
    names = common_styles(found)
    counts = np.bincount(index_styles(found, names) + 1, minlength=len(names) + 1)[1:]
    assert (counts >= ENOUGH_PAINTINGS).all()


def test_a_model_with_a_second_head_names_styles(styled_model: Path, painting: Image.Image) -> None:
    classifier = Classifier.load(styled_model, precision="f32")
    found = classifier.classify(painting)
    assert tuple(found.styles) == classifier.config.styles == tuple(sorted(found.styles))
    assert all(0 < score < 1 for score in found.styles.values())
    assert json.loads(json.dumps(found.to_dict()))["styles"] == found.styles


def test_a_model_without_one_answers_as_before(exported: Path, painting: Image.Image) -> None:
    found = Classifier.load(exported).classify(painting)
    assert found.styles == {}
    assert "styles" not in found.to_dict()
    assert prediction_line(found).endswith("]")


def test_the_line_names_at_most_three_likely_styles(classifier: Classifier, painting: Image.Image) -> None:
    styles = {"Op Art": 0.5, "Fauvism": 0.75, "Pop Art": 0.49, "Cubism": 0.9, "Realism": 0.6}
    found = dataclasses.replace(classifier.classify(painting), styles=styles)
    assert prediction_line(found).endswith("]  styles: Cubism 0.90, Fauvism 0.75, Realism 0.60")


def test_names_that_are_not_as_many_as_the_graph_answers_are_refused(styled_model: Path) -> None:
    classifier = Classifier.load(styled_model)
    config = dataclasses.replace(classifier.config, styles=classifier.config.styles[1:])
    with pytest.raises(ModelError, match=r"and 4 styles, but the graph has .* and 5;"):
        Classifier(config, classifier.engine)
