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
from artnet.evaluation.evaluate import evaluate
from artnet.evaluation.report_html import report_page
from artnet.evaluation.scores import styles_found
from artnet.model.card import model_card
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


def test_styles_are_scored_on_paintings_whose_style_is_known() -> None:
    found = styles_found(np.array([0, 1, 0, -1]), np.array([[0.9, 0.1], [0.8, 0.9], [0.7, 0.2], [1, 1]]), "ab")
    assert found is not None
    assert found.by_style["a"].average_precision == pytest.approx(5 / 6)  # found first and third of three
    assert found.by_style["b"].average_precision == 1
    assert (found.paintings, found.mean, found.mean_share) == (3, pytest.approx(11 / 12), pytest.approx(1 / 2))


def test_a_style_of_no_painting_has_no_precision() -> None:
    found = styles_found(np.array([0, 0]), np.full((2, 2), 0.5), "ab")
    assert found is not None
    assert (found.by_style["b"].average_precision, found.mean) == (None, 1)
    assert styles_found(np.array([-1]), np.full((1, 2), 0.5), "ab") is None


def test_the_report_and_the_card_tell_of_styles(styled_model: Path, data: Path) -> None:
    classifier = Classifier.load(styled_model)
    report = evaluate(classifier, data, "test")
    record = report.to_record()["styles"]
    assert set(record["by_style"]) == set(classifier.config.styles)
    assert record["paintings"] == report.paintings
    assert "Mean average precision" in report_page(report)
    card = model_card(dataclasses.replace(classifier.config, scores=report.to_record()))
    assert f"mean average precision {record['mean']:.3f}" in card


def test_a_report_without_a_second_head_says_nothing_of_it(exported: Path, data: Path) -> None:
    report = evaluate(Classifier.load(exported), data, "test")
    assert report.styles is None
    assert "styles" not in report.to_record()
    assert "Fine styles" not in report_page(report)
