"""The page About: figures from the model, words about its limits."""

from __future__ import annotations

import dataclasses

from artnet.model.classifier import Classifier
from artnet.serving.web.about import about_html


def test_every_movements_recall_is_there(classifier: Classifier) -> None:
    html = about_html(classifier.config)
    for name, entry in classifier.config.scores["by_movement"].items():
        assert f"{name}</th><td>{entry['paintings']}</td><td>{entry['recall']:.0%}" in html


def test_a_model_that_was_never_measured_says_so(classifier: Classifier) -> None:
    html = about_html(dataclasses.replace(classifier.config, scores={}, training={}, ood=None))
    assert "has not been evaluated yet" in html
    assert "never says that a picture is unfamiliar" in html


def test_what_a_model_folder_says_is_text_and_no_html(classifier: Classifier) -> None:
    training = {"recipe": "<script>", "limits": ["<img src=x>"]}
    html = about_html(dataclasses.replace(classifier.config, training=training))
    assert "<script>" not in html
    assert "<img" not in html
